//! What JSON Schema allows and nobody means. An unknown keyword accepts everything, so a list of fields without
//! `properties` around it would check nothing.

use serde_json::{Map, Value};

use super::SchemaFault;

/// Every schema of the drafts, as deep as parsed JSON can be.
const MAX_DEPTH: usize = 128;

/// Keywords whose value may be an object; any other object at the top is a field that lacks its `properties`.
const OBJECT_KEYWORDS: [&str; 21] = [
    "$defs",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "const",
    "contains",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "items",
    "not",
    "patternProperties",
    "properties",
    "propertyNames",
    "then",
    "unevaluatedProperties",
];

pub(super) fn check(value: &Value) -> Result<(), SchemaFault> {
    let Value::Object(map) = value else {
        return Err(fault("", "a schema is an object such as {type: object, properties: {…}}"));
    };
    if depth(value) > MAX_DEPTH {
        return Err(fault("", format!("nested more than {MAX_DEPTH} deep")));
    }
    match map.iter().find(|(key, value)| is_stray_field(key, value)) {
        Some((key, _)) => {
            Err(fault(key, format!("`{key}` is no keyword of JSON Schema; fields stand under `properties`")))
        }
        None => Ok(()),
    }
}

fn is_stray_field(key: &str, value: &Value) -> bool {
    let describes_a_field = |map: &Map<String, Value>| map.contains_key("type");
    !OBJECT_KEYWORDS.contains(&key)
        && key != "unevaluatedItems"
        && value.as_object().is_some_and(describes_a_field)
}

/// How many levels a document has.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn fault(at: &str, message: impl Into<String>) -> SchemaFault {
    SchemaFault { at: at.to_owned(), message: message.into() }
}
