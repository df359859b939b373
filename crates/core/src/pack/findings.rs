//! What the files of one pack have shown so far. Reading goes on after a fault, so everything is collected here.

use std::collections::{BTreeMap, BTreeSet};

use super::yaml::Node;
use super::{Fault, Kind};

/// A ref that one definition holds of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind of the definition that holds it.
    pub from: Kind,
    /// The kind of thing that is meant.
    pub kind: Kind,
    /// The ref of the thing that is meant.
    pub r#ref: String,
    /// Where it stands.
    pub file: String,
    /// On which line.
    pub line: u32,
    /// In which field.
    pub field: String,
}

impl Reference {
    /// A fault that points at this reference.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault {
            file: self.file.clone(),
            line: Some(self.line),
            field: self.field.clone(),
            message: message.into(),
        }
    }
}

/// Where a definition came from, kept so that later checks can point at its lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) node: Node,
}

impl Source {
    pub(super) fn fault(&self, field: &str, message: impl Into<String>) -> Fault {
        Fault {
            file: self.file.clone(),
            line: Some(self.node.line_at(field)),
            field: field.to_owned(),
            message: message.into(),
        }
    }
}

#[derive(Default)]
pub(super) struct Findings {
    /// Paths of all files of the pack.
    pub(super) paths: BTreeSet<String>,
    /// The pack's ref, once the manifest has given a good one.
    pub(super) pack: Option<String>,
    pub(super) faults: Vec<Fault>,
    pub(super) references: Vec<Reference>,
    pub(super) sources: BTreeMap<(Kind, String), Source>,
}

impl Findings {
    /// Keeps the lines of a definition, the first one of each ref.
    pub(super) fn remember(&mut self, kind: Kind, name: &str, source: Source) {
        let key = (kind, name.to_owned());
        match self.sources.get(&key) {
            None => drop(self.sources.insert(key, source)),
            // An empty ref has its fault already.
            Some(_) if name.is_empty() => {}
            Some(first) => {
                let message = format!("{name:?} is defined in {} as well", first.file);
                self.faults.push(source.fault("ref", message));
            }
        }
    }

    /// The refs of everything of one kind that was read so far.
    pub(super) fn known(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.sources.keys().filter(move |(other, _)| *other == kind).map(|(_, name)| name.as_str())
    }
}
