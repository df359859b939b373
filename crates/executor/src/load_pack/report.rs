//! What a load did, for the person who asked for it.

use attune_core::pack::Kind;
use serde::{Deserialize, Serialize};

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
    /// Fields in which an operator's change won.
    pub kept: Vec<Kept>,
    /// What left the pack and was disabled by this load.
    pub disabled: Vec<String>,
    /// Runtimes that left the pack; they have no `enabled`, so they stay as they are.
    pub left_runtimes: Vec<String>,
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
}

impl LoadReport {
    /// Whether the load found everything as it should be.
    pub fn changed_nothing(&self) -> bool {
        self.created.is_empty() && self.updated.is_empty() && self.disabled.is_empty()
    }

    /// Notes what became of the pack's own row.
    pub(super) fn note_pack(&mut self, fate: Fate, kept: Vec<String>) {
        let name = self.pack.clone();
        self.note("pack", &name, fate, kept);
    }

    /// Notes what became of one thing.
    pub(super) fn note_thing(&mut self, kind: Kind, name: &str, fate: Fate, kept: Vec<String>) {
        self.note(kind.as_str(), name, fate, kept);
    }

    fn note(&mut self, kind: &str, name: &str, fate: Fate, kept: Vec<String>) {
        let list = match fate {
            Fate::Created => &mut self.created,
            Fate::Updated => &mut self.updated,
            Fate::Unchanged => &mut self.unchanged,
        };
        list.push(name.to_owned());
        let fields = kept.into_iter();
        self.kept.extend(fields.map(|field| Kept { kind: kind.to_owned(), r#ref: name.to_owned(), field }));
    }
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Created,
    Updated,
    Unchanged,
}
