//! What files define, together with the lines that it stands on.

use std::collections::BTreeMap;

use super::findings::Source;
use super::{Action, Fault, Kind, MANIFEST, Reference, Rule, Runtime, Sensor, Trigger};

/// Everything that some files define, checked as far as files alone can be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    /// In the order of their files, as all others.
    pub runtimes: Vec<Runtime>,
    /// Types of events.
    pub triggers: Vec<Trigger>,
    /// Code that produces events.
    pub sensors: Vec<Sensor>,
    /// Code that does something.
    pub actions: Vec<Action>,
    /// Which events lead to which actions.
    pub rules: Vec<Rule>,
    pub(super) external: Vec<Reference>,
    pub(super) sources: BTreeMap<(Kind, String), Source>,
}

impl Definitions {
    /// The refs that lead out of these files, in the order of their files.
    pub fn external_refs(&self) -> &[Reference] {
        &self.external
    }

    /// Whether a definition names a key, rather than leaving it to the default.
    pub fn names(&self, kind: Kind, name: &str, key: &str) -> bool {
        self.sources.get(&(kind, name.to_owned())).is_some_and(|source| source.node.entry(key).is_some())
    }

    /// A fault at a field (`conditions[0].value`) of a definition, for checks that need more than the files.
    pub fn fault(&self, kind: Kind, name: &str, field: &str, message: impl Into<String>) -> Fault {
        match self.sources.get(&(kind, name.to_owned())) {
            Some(source) => source.fault(field, message),
            None => Fault::of_file(MANIFEST, format!("{kind} {name}: {field}: {}", message.into())),
        }
    }
}
