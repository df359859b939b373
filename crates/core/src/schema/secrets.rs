//! `secret: true`: which fields must never be shown.
//!
//! When in doubt a value is secret: one that any branch of a choice calls secret is masked whichever branch it follows,
//! and where references lead in a circle the whole value is.

use serde_json::{Map, Value};

use super::shape::referred;

/// What stands in place of a secret.
const MASK: &str = "***";
/// References that lead in a circle without entering the value, and values deeper than any that was parsed.
const MAX_DEPTH: usize = 256;
/// Keywords that hold a schema for the value itself, and those that hold a list of them.
const SAME_VALUE: [&str; 3] = ["if", "then", "else"];
const SAME_VALUE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Whether anything in the schema is secret.
pub(super) fn any(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => is_secret(map) || map.values().any(any),
        Value::Array(list) => list.iter().any(any),
        _ => false,
    }
}

pub(super) fn mask(document: &Value, value: &Value) -> Value {
    let mut masked = value.clone();
    mask_from(document, document, &mut masked, 0);
    masked
}

fn is_secret(schema: &Map<String, Value>) -> bool {
    schema.get("secret") == Some(&Value::Bool(true))
}

fn mask_from(document: &Value, schema: &Value, value: &mut Value, depth: usize) {
    let Value::Object(schema) = schema else { return };
    if is_secret(schema) || depth > MAX_DEPTH {
        *value = Value::from(MASK);
        return;
    }
    if let Some(target) = referred(document, schema) {
        mask_from(document, target, value, depth + 1);
    }
    for part in alternatives(schema) {
        mask_from(document, part, value, depth + 1);
    }
    match value {
        Value::Object(map) => mask_object(document, schema, map, depth + 1),
        Value::Array(list) => mask_list(document, schema, list, depth + 1),
        _ => {}
    }
}

/// The schemas that may also count for the value itself.
fn alternatives(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let ones = SAME_VALUE.iter().filter_map(|keyword| schema.get(*keyword));
    let lists = SAME_VALUE_LISTS.iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten();
    let dependent =
        schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values);
    ones.chain(lists).chain(dependent)
}

fn mask_object(document: &Value, schema: &Map<String, Value>, map: &mut Map<String, Value>, depth: usize) {
    for (name, value) in map {
        if let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) {
            mask_from(document, property, value, depth);
        }
        // Which pattern a name fits is the validator's business; here all of them count.
        for pattern in
            schema.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(Map::values)
        {
            mask_from(document, pattern, value, depth);
        }
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if !has_property(schema, name)
                && let Some(rest) = schema.get(keyword)
            {
                mask_from(document, rest, value, depth);
            }
        }
    }
}

fn has_property(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
}

fn mask_list(document: &Value, schema: &Map<String, Value>, list: &mut [Value], depth: usize) {
    let prefix =
        ["prefixItems", "items"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten();
    for (element, position) in list.iter_mut().zip(prefix) {
        mask_from(document, position, element, depth);
    }
    let any_element = ["items", "additionalItems", "unevaluatedItems", "contains"];
    for schema in any_element.iter().filter_map(|keyword| schema.get(*keyword)) {
        for element in &mut *list {
            mask_from(document, schema, element, depth);
        }
    }
}
