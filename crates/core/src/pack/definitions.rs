//! What files define, together with the lines that it stands on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::findings::Source;
use super::{Action, Definition, Fault, Kind, MANIFEST, Reference, Rule, Runtime, Sensor, Trigger};

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

    /// What a file defines: its kind and its ref.
    pub fn defined_in(&self, file: &str) -> Option<(Kind, &str)> {
        let mut sources = self.sources.iter();
        sources.find(|(_, source)| source.file == file).map(|((kind, name), _)| (*kind, name.as_str()))
    }

    /// The refs of the things of a kind.
    pub fn refs(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.sources.keys().filter(move |(known, _)| *known == kind).map(|(_, name)| name.as_str())
    }

    /// A thing by the columns of its row, `ref` and `enabled` among them.
    pub fn columns(&self, kind: Kind, name: &str) -> Option<Value> {
        let (mut columns, enabled) = match kind {
            Kind::Runtime => (find(&self.runtimes, name)?.definition(), true),
            Kind::Trigger => find(&self.triggers, name).map(|it| (it.definition(), it.enabled))?,
            Kind::Sensor => find(&self.sensors, name).map(|it| (it.definition(), it.enabled))?,
            Kind::Action => find(&self.actions, name).map(|it| (it.definition(), it.enabled))?,
            Kind::Rule => find(&self.rules, name).map(|it| (it.definition(), it.enabled))?,
        };
        columns["ref"] = json!(name);
        columns["enabled"] = json!(enabled);
        Some(columns)
    }

    /// A fault at a field (`conditions[0].value`) of a definition, for checks that need more than the files.
    pub fn fault(&self, kind: Kind, name: &str, field: &str, message: impl Into<String>) -> Fault {
        match self.sources.get(&(kind, name.to_owned())) {
            Some(source) => source.fault(field, message),
            None => Fault::of_file(MANIFEST, format!("{kind} {name}: {field}: {}", message.into())),
        }
    }
}

fn find<'a, T: Definition>(things: &'a [T], name: &str) -> Option<&'a T> {
    things.iter().find(|thing| thing.item_ref() == name)
}
