//! Masks and defaults against plain ones that follow the schema as it is written, which is right and can take for ever.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn referred<'a>(document: &'a Value, schema: &Map<String, Value>) -> Option<&'a Value> {
    document.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

fn list<'a>(schema: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn map<'a>(schema: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn mask(document: &Value, schema: &Value, value: &mut Value) {
    let Value::Object(schema) = schema else { return };
    if schema.get("secret") == Some(&json!(true)) {
        *value = json!("***");
        return;
    }
    let ones = ["if", "then", "else"].iter().filter_map(|key| schema.get(*key));
    let lists = ["allOf", "anyOf", "oneOf"].iter().flat_map(|key| list(schema, key));
    let dependent = map(schema, "dependentSchemas").map(|(_, it)| it);
    let parts: Vec<_> = ones.chain(lists).chain(dependent).chain(referred(document, schema)).collect();
    for part in parts {
        mask(document, part, value);
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let named = schema.get("properties").and_then(|it| it.get(name));
                let others = ["additionalProperties", "unevaluatedProperties"];
                let others = others.iter().filter_map(|key| schema.get(*key)).filter(|_| named.is_none());
                let patterns = map(schema, "patternProperties").map(|(_, it)| it);
                let parts: Vec<_> = named.into_iter().chain(patterns).chain(others).collect();
                for part in parts {
                    mask(document, part, value);
                }
            }
        }
        Value::Array(elements) => {
            let prefix = list(schema, "prefixItems").chain(list(schema, "items")).collect::<Vec<_>>();
            elements.iter_mut().zip(prefix).for_each(|(element, part)| mask(document, part, element));
            for key in ["items", "additionalItems", "unevaluatedItems", "contains"] {
                if let Some(part) = schema.get(key) {
                    for element in &mut *elements {
                        mask(document, part, element);
                    }
                }
            }
        }
        _ => {}
    }
}

fn fill(document: &Value, schema: &Value, value: &mut Value, depth: usize) {
    let Value::Object(schema) = schema else { return };
    if depth > 64 {
        return;
    }
    for part in referred(document, schema).into_iter().chain(list(schema, "allOf")) {
        fill(document, part, value, depth + 1);
    }
    match value {
        Value::Object(members) => {
            for (name, property) in map(schema, "properties") {
                let own = property.as_object().and_then(|it| it.get("default"));
                let of_target = || referred(document, property.as_object()?)?.get("default");
                if !members.contains_key(name)
                    && let Some(default) = own.or_else(of_target)
                {
                    members.insert(name.clone(), default.clone());
                }
                if let Some(value) = members.get_mut(name) {
                    fill(document, property, value, depth + 1);
                }
            }
        }
        Value::Array(elements) => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            for element in elements {
                fill(document, items, element, depth + 1);
            }
        }
        _ => {}
    }
}

/// Schemas whose references go forward only (`d0` to `d1` and so on), or back by way of a member or an element.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => Just(json!({})),
        2 => Just(json!({"secret": true})),
        1 => Just(json!({"default": {"a": 1}})),
        1 => Just(json!({"$ref": "#/$defs/d1"})),
        1 => Just(json!({"properties": {"a": {"$ref": "#"}}})),
        1 => Just(json!({"items": {"$ref": "#/$defs/d0"}})),
        1 => Just(json!(true)),
    ];
    let name = prop_oneof![Just("a"), Just("b"), Just("c")];
    let schema = leaf.prop_recursive(4, 24, 3, move |inner| {
        let some = prop::collection::vec(inner.clone(), 1..3);
        let members = prop::collection::btree_map(name.clone(), inner.clone(), 1..3);
        prop_oneof![
            members.clone().prop_map(|it| json!({"properties": it})),
            (members.clone(), inner.clone())
                .prop_map(|(it, rest)| json!({"properties": it, "additionalProperties": rest})),
            members.clone().prop_map(|it| json!({"patternProperties": it})),
            members.prop_map(|it| json!({"dependentSchemas": it})),
            some.clone().prop_map(|it| json!({"allOf": it})),
            some.clone().prop_map(|it| json!({"anyOf": it})),
            some.clone().prop_map(|it| json!({"oneOf": it})),
            some.prop_map(|it| json!({"prefixItems": it, "properties": {"b": {"default": []}}})),
            inner.clone().prop_map(|it| json!({"items": it})),
            inner.clone().prop_map(|it| json!({"contains": it, "default": [{}]})),
            inner.clone().prop_map(|it| json!({"if": {}, "then": it.clone(), "else": it})),
            inner.prop_map(|it| json!({"allOf": [it.clone(), {"unevaluatedProperties": it}]})),
        ]
    });
    (schema.clone(), schema.clone(), schema)
        .prop_map(|(root, d0, d1)| json!({"allOf": [root], "$defs": {"d0": d0, "d1": d1}}))
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(1)), Just(json!("text")), Just(json!(null))];
    leaf.prop_recursive(5, 24, 3, |inner| {
        let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("d")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..3).prop_map(|it| json!(it)),
        ]
    })
}

proptest! {
    #[test]
    fn masks_and_defaults_are_the_plain_ones(document in schemas(), value in values()) {
        // References that lead in a circle without entering the value are refused, and so is what grows beyond the limits.
        if let Ok(schema) = Schema::compile(&document) {
            let mut masked = value.clone();
            mask(&document, &document, &mut masked);
            prop_assert_eq!(schema.mask(&value), masked);
            let (mut filled, mut plain) = (value.clone(), value);
            if schema.fill_defaults(&mut filled).is_ok() {
                fill(&document, &document, &mut plain, 0);
                prop_assert_eq!(filled, plain);
            }
        }
    }
}
