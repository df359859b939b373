//! `sensor.capabilities` and `worker.capabilities`: what an operator says that a worker can do.
//!
//! `runtimes` is checked to be a list of names; every other key is the operator's own and goes into the worker's
//! capabilities as it stands.

use std::collections::HashMap;

use figment::value::Value as Merged;
use serde_json::Value;

use super::section::Section;
use super::value::Given;

/// The key that names runtimes.
const RUNTIMES: &str = "runtimes";

/// Reads the section's `capabilities`, when there are any.
pub(super) fn read(section: &mut Section<'_>) -> Option<HashMap<String, Value>> {
    let value = section.value("capabilities")?;
    if let Merged::Dict(_, dict) = &value {
        return Some(dict.iter().filter_map(|(key, value)| entry(section, key, value)).collect());
    }
    // The environment may set all of them with one JSON object.
    if let Value::Object(object) = section.given(&value).json() {
        return Some(object.into_iter().collect());
    }
    section.wrong("capabilities", "a section", &value, false);
    None
}

fn entry(section: &mut Section<'_>, key: &str, value: &Merged) -> Option<(String, Value)> {
    let given = section.given(value);
    if key != RUNTIMES {
        return Some((key.to_owned(), given.json()));
    }
    if matches!(value, Merged::Empty(..)) {
        return None;
    }
    let names = names(&given);
    if names.is_none() {
        section.wrong("capabilities.runtimes", "a list of names", value, true);
    }
    Some((key.to_owned(), names?.into()))
}

/// A list of names, or in the environment also names with commas between them.
fn names(given: &Given) -> Option<Vec<String>> {
    match (given.json(), given.from_environment) {
        (Value::Array(names), _) => names.into_iter().map(|name| Some(name.as_str()?.to_owned())).collect(),
        (_, true) => Some(attune_core::names::split(given.value.as_str()?)),
        (_, false) => None,
    }
}
