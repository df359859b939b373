//! Defaults of missing properties. Only where a schema says unconditionally what an object holds (`properties`, `items`,
//! `allOf`, a local `$ref`): a default inside one branch of a choice would decide the choice.

use serde_json::{Map, Value};

use super::shape::referred;

/// References that lead in a circle without entering the value.
const MAX_DEPTH: usize = 64;

pub(super) fn fill(document: &Value, value: &mut Value) {
    fill_from(document, document, value, 0);
}

fn fill_from(document: &Value, schema: &Value, value: &mut Value, depth: usize) {
    let Value::Object(schema) = schema else { return };
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(target) = referred(document, schema) {
        fill_from(document, target, value, depth + 1);
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        fill_from(document, part, value, depth + 1);
    }
    match value {
        Value::Object(map) => fill_properties(document, schema, map, depth),
        Value::Array(list) => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            for element in list {
                fill_from(document, items, element, depth + 1);
            }
        }
        _ => {}
    }
}

fn fill_properties(
    document: &Value,
    schema: &Map<String, Value>,
    map: &mut Map<String, Value>,
    depth: usize,
) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if !map.contains_key(name)
            && let Some(default) = default_of(document, property)
        {
            map.insert(name.clone(), default.clone());
        }
        if let Some(value) = map.get_mut(name) {
            fill_from(document, property, value, depth + 1);
        }
    }
}

fn default_of<'a>(document: &'a Value, property: &'a Value) -> Option<&'a Value> {
    let property = property.as_object()?;
    property.get("default").or_else(|| referred(document, property)?.get("default"))
}
