//! `sensor.capabilities` and `worker.capabilities`: what an operator says that a worker can do.
//!
//! `runtimes` is checked to be a list of names; every other key is the operator's own and goes into the worker's
//! capabilities as it stands.

use std::collections::HashMap;

use figment::value::Value as Merged;
use serde_json::Value;

use super::section::Section;
use super::value::Given;

const ABOUT: &str = "What the operator says about this worker. A list `runtimes` names the runtimes that it has, without \
                     asking the database; any other key is copied into the worker's capabilities.";

/// The key that names runtimes.
const RUNTIMES: &str = "runtimes";

/// Reads the section's `capabilities`, when there are any.
pub(super) fn read(section: &mut Section<'_>) -> Option<HashMap<String, Value>> {
    let value = section.value("capabilities", "a section", ABOUT)?;
    if let Merged::Dict(_, dict) = &value {
        return Some(dict.iter().filter_map(|(key, value)| entry(section, key, value)).collect());
    }
    // The environment may set all of them with one JSON object.
    let Value::Object(object) = section.given(&value).json() else {
        section.wrong("capabilities", "a section", &value, false);
        return None;
    };
    if object.get(RUNTIMES).is_some_and(|names| !names.is_null() && texts(names).is_none()) {
        section.wrong("capabilities.runtimes", "a list of names", &value, false);
    }
    Some(object.into_iter().collect())
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
    match given.json() {
        list @ Value::Array(_) => texts(&list),
        _ if given.from_environment => given.value.as_str().map(attune_core::names::split),
        _ => None,
    }
}

fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
