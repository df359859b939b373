//! A pack: files in memory become definitions, or the list of everything that is wrong with them.
//!
//! Reading is pure: the same files give the same answer in the command line, in the loader and in a test. It never stops
//! at the first fault, because an author corrects a file once, not once per fault. What can only be answered with the
//! database at hand, whether a ref into another pack exists, is handed out as [`Pack::external_refs`], and
//! [`Pack::fault`] lets whoever answers it point at the same lines.

mod action;
mod code;
mod definition;
mod fault;
mod fields;
mod findings;
mod kind;
mod manifest;
mod parse;
pub mod refs;
mod rule;
mod runtime;
mod sensor;
mod suggest;
#[cfg(test)]
mod tests;
mod trigger;
mod yaml;

use std::collections::BTreeMap;

pub use action::Action;
pub use definition::Definition;
pub use fault::Fault;
pub use findings::Reference;
use findings::Source;
pub use kind::Kind;
pub use manifest::Manifest;
pub use rule::Rule;
pub use runtime::Runtime;
pub use sensor::{Mode, Sensor};
pub use trigger::Trigger;

/// The name of the file that makes a directory a pack.
pub const MANIFEST: &str = "pack.yaml";

/// Everything that the files of a pack say, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// What `pack.yaml` says.
    pub manifest: Manifest,
    /// `runtimes/*.yaml`, in the order of their files, as all others.
    pub runtimes: Vec<Runtime>,
    /// `triggers/*.yaml`.
    pub triggers: Vec<Trigger>,
    /// `sensors/*.yaml`.
    pub sensors: Vec<Sensor>,
    /// `actions/*.yaml`.
    pub actions: Vec<Action>,
    /// `rules/*.yaml`.
    pub rules: Vec<Rule>,
    external: Vec<Reference>,
    sources: BTreeMap<(Kind, String), Source>,
}

impl Pack {
    /// Reads the files of a pack: paths from its root, and their content.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Fault>> {
        parse::parse(files)
    }

    /// The refs into other packs, in the order of their files.
    pub fn external_refs(&self) -> &[Reference] {
        &self.external
    }

    /// A fault at a field (`conditions[0].value`) of a definition, for checks that need more than the files.
    pub fn fault(&self, kind: Kind, name: &str, field: &str, message: impl Into<String>) -> Fault {
        match self.sources.get(&(kind, name.to_owned())) {
            Some(source) => source.fault(field, message),
            None => Fault::of_file(MANIFEST, format!("{kind} {name}: {field}: {}", message.into())),
        }
    }
}
