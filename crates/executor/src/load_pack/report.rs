//! What a load did, for the person who asked for it.

use std::collections::BTreeMap;

use attune_core::pack::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::merge::{Difference, Merged};

/// What a load did; things by their refs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadReport {
    /// The pack's ref.
    pub pack: String,
    /// Its version now.
    pub version: String,
    /// The digest of its content now.
    pub digest: String,
    /// What was not there before; the pack itself is among these.
    pub created: Vec<String>,
    /// What changed, or came back.
    pub updated: Vec<String>,
    /// What is as it was.
    pub unchanged: Vec<String>,
    /// What changed of what was there before, secrets masked.
    pub changes: Vec<Change>,
    /// Fields in which an operator's change won.
    pub kept: Vec<Kept>,
    /// What left the pack and was disabled by this load.
    pub disabled: Vec<String>,
    /// Runtimes that left the pack; they have no `enabled`, so they stay as they are.
    pub left_runtimes: Vec<String>,
    /// Files of the content that changed since the last load.
    pub files: Vec<FileChange>,
}

/// One changed field of a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `pack`, or what kind of thing.
    pub kind: String,
    /// The ref of the thing.
    pub r#ref: String,
    /// The column.
    pub field: String,
    /// What it said before.
    pub old: Value,
    /// What it says now.
    pub new: Value,
}

/// A field in which an operator's change won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// `pack`, or what kind of thing of the pack.
    pub kind: String,
    /// The ref of the thing.
    pub r#ref: String,
    /// The column.
    pub field: String,
    /// What it says here, secrets masked.
    pub here: Value,
    /// What the pack says.
    pub pack: Value,
}

/// A file of the content that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Path from the pack's root.
    pub path: String,
    /// What happened to it.
    pub change: FileFate,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of a report")]
pub enum FileFate {
    Added,
    Changed,
    Removed,
}

impl LoadReport {
    /// Whether the load found everything as it should be.
    pub fn changed_nothing(&self) -> bool {
        self.created.is_empty() && self.updated.is_empty() && self.disabled.is_empty()
    }

    /// Notes what became of the pack's own row.
    pub(super) fn note_pack(&mut self, merged: &Merged) {
        let name = self.pack.clone();
        self.note("pack", &name, merged);
    }

    /// Notes what became of one thing.
    pub(super) fn note_thing(&mut self, kind: Kind, name: &str, merged: &Merged) {
        self.note(kind.as_str(), name, merged);
    }

    fn note(&mut self, kind: &str, name: &str, merged: &Merged) {
        let list = match merged.fate {
            Fate::Created => &mut self.created,
            Fate::Updated => &mut self.updated,
            Fate::Unchanged => &mut self.unchanged,
        };
        list.push(name.to_owned());
        self.changes.extend(merged.changes.iter().map(|change| Change::of(kind, name, change)));
        self.kept.extend(merged.kept.iter().map(|kept| Kept::of(kind, name, kept)));
    }
}

impl Change {
    pub(crate) fn of(kind: &str, name: &str, difference: &Difference) -> Self {
        let Difference { field, old, new } = difference.clone();
        Self { kind: kind.to_owned(), r#ref: name.to_owned(), field, old, new }
    }
}

impl Kept {
    fn of(kind: &str, name: &str, difference: &Difference) -> Self {
        let Difference { field, old, new } = difference.clone();
        Self { kind: kind.to_owned(), r#ref: name.to_owned(), field, here: old, pack: new }
    }
}

/// How one content differs from another; both are digests by path.
pub(super) fn file_changes(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<FileChange> {
    let of = |path: &String, change| FileChange { path: path.clone(), change };
    let added = new.keys().filter(|path| !old.contains_key(*path)).map(|path| of(path, FileFate::Added));
    let removed = old.keys().filter(|path| !new.contains_key(*path)).map(|path| of(path, FileFate::Removed));
    let is_changed = |(path, digest): &(&String, &String)| old.get(*path).is_some_and(|old| old != *digest);
    let changed = new.iter().filter(is_changed).map(|(path, _)| of(path, FileFate::Changed));
    let mut all: Vec<_> = added.chain(removed).chain(changed).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Created,
    Updated,
    Unchanged,
}
