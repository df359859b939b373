//! A pack: files in memory become definitions, or the list of everything that is wrong with them.
//!
//! Reading is pure: the same files give the same answer in the command line, in the loader and in a test. It never stops
//! at the first fault, because an author corrects a file once, not once per fault. What can only be answered with the
//! database at hand, whether a ref into another pack exists, is handed out as [`Definitions::external_refs`], and
//! [`Definitions::fault`] lets whoever answers it point at the same lines.
//!
//! [`Documents`] are definitions without a pack around them, as `attune rule apply` takes them; the checks are the same.

mod action;
mod code;
mod definition;
mod definitions;
mod documents;
mod expectation;
mod fault;
mod fields;
mod findings;
mod isolation;
mod kind;
mod manifest;
mod pack_test;
mod parse;
mod permission;
pub mod refs;
mod requirement;
mod rule;
mod runtime;
mod sandbox;
mod sensor;
mod suggest;
#[cfg(test)]
mod tests;
mod trigger;
mod yaml;

use std::collections::BTreeMap;
use std::ops::Deref;

pub use action::{Action, Overlap};
pub use definition::Definition;
pub use definitions::Definitions;
pub use documents::{Contents, Documents};
pub use expectation::{PollExpectation, RuleExpectation};
pub use fault::Fault;
pub use findings::Reference;
pub use isolation::Isolation;
pub use kind::Kind;
pub use manifest::Manifest;
pub use pack_test::{PackTest, Subject};
pub use permission::Permission;
pub use requirement::{Requirement, RequirementFault};
pub use rule::Rule;
pub use runtime::Runtime;
pub use sandbox::Sandbox;
pub use sensor::{MIN_POLL_INTERVAL, Mode, Sensor};
pub(crate) use suggest::hint;
pub use trigger::Trigger;

/// The name of the file that makes a directory a pack.
pub const MANIFEST: &str = "pack.yaml";

/// Everything that the files of a pack say, checked: its definitions, and what it says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// What `pack.yaml` says.
    pub manifest: Manifest,
    /// `tests/*.yaml`, which are run by their author and never loaded.
    pub tests: Vec<PackTest>,
    definitions: Definitions,
}

impl Pack {
    /// Reads the files of a pack: paths from its root, and their content.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Fault>> {
        parse::parse(files)
    }
}

impl Deref for Pack {
    type Target = Definitions;

    fn deref(&self) -> &Definitions {
        &self.definitions
    }
}
