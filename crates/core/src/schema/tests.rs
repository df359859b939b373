//! What schemas accept, fill in, hide and refuse.
#![expect(clippy::needless_pass_by_value, reason = "literals of JSON read better without a `&`")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn schema(document: Value) -> Schema {
    Schema::compile(&document).unwrap()
}

fn filled(document: Value, mut value: Value) -> Value {
    schema(document).fill_defaults(&mut value).unwrap();
    value
}

fn with_secret() -> Schema {
    schema(json!({"type": "object", "required": ["token"], "properties": {
        "token": {"type": "string", "secret": true, "minLength": 30},
        "url": {"type": "string"},
        "logins": {"type": "array", "items": {"type": "object", "properties": {"password": {"secret": true}}}}}}))
}

#[test]
fn the_empty_schema_accepts_everything() {
    for value in [json!(null), json!(1), json!({"a": []})] {
        assert_eq!(schema(json!({})).validate(&value), Ok(()));
    }
}

#[test]
fn a_violation_names_its_place() {
    let schema = schema(
        json!({"type": "object", "required": ["url"], "additionalProperties": false, "properties": {
        "url": {"type": "string", "format": "email"}, "ports": {"type": "array", "items": {"type": "integer"}}}}),
    );
    let violation = |value: Value| schema.validate(&value).unwrap_err().to_string();
    assert_eq!(
        violation(json!({"url": "a@b.de", "ports": [1, "x"]})),
        r#"ports[1]: "x" is not of type "integer""#
    );
    assert_eq!(violation(json!({})), r#""url" is a required property"#);
    assert!(violation(json!({"url": "a@b.de", "x": 1})).contains("'x' was unexpected"));
    assert_eq!(violation(json!({"url": "no"})), r#"url: "no" is not a "email""#);
    assert_eq!(schema.validate(&json!({"url": "a@b.de", "ports": [1.0]})), Ok(()));
}

#[test]
fn a_violation_is_short() {
    let message =
        schema(json!({"type": "integer"})).validate(&json!("x".repeat(5000))).unwrap_err().to_string();
    assert!(message.len() < 100, "{message}");
}

#[test]
fn a_violation_shows_no_secret() {
    let message = with_secret().validate(&json!({"token": "s3cret", "url": 1})).unwrap_err().to_string();
    assert!(!message.contains("s3cret") && message.contains("token"), "{message}");
    let message = with_secret().validate(&json!("s3cret")).unwrap_err().to_string();
    assert!(!message.contains("s3cret"), "{message}");
    let choice = json!({"properties": {"a": {"secret": true, "oneOf": [{"const": 1}, {"pattern": "x"}]}}});
    let message = schema(choice).validate(&json!({"a": "s3cret"})).unwrap_err().to_string();
    assert!(!message.contains("s3cret"), "{message}");
}

#[test]
fn masks_secrets_wherever_they_stand() {
    let value = json!({"token": "a", "url": "b", "logins": [{"user": "c", "password": {"x": 1}}], "more": 1});
    let masked = json!({"token": "***", "url": "b", "logins": [{"user": "c", "password": "***"}], "more": 1});
    assert!(with_secret().has_secrets());
    assert_eq!(with_secret().mask(&value), masked);
    assert_eq!(with_secret().mask(&json!({})), json!({}));
    assert!(!schema(json!({"properties": {"token": {"type": "string"}}})).has_secrets());

    for document in [
        json!({"properties": {"s": {"$ref": "#/$defs/key"}}, "$defs": {"key": {"secret": true}}}),
        json!({"allOf": [{"properties": {"s": {"secret": true}}}]}),
        json!({"oneOf": [{}, {"properties": {"s": {"secret": true}}}]}),
        json!({"if": {}, "else": {"properties": {"s": {"secret": true}}}}),
        json!({"additionalProperties": {"secret": true}, "properties": {"open": {}}}),
        json!({"patternProperties": {"^s": {"secret": true}}, "properties": {"open": {}}}),
        json!({"dependentSchemas": {"open": {"properties": {"s": {"secret": true}}}}}),
    ] {
        let masked = schema(document.clone()).mask(&json!({"s": "x"}));
        assert_eq!(masked, json!({"s": "***"}), "{document}");
    }
    let tuple = schema(json!({"prefixItems": [{}, {"secret": true}]}));
    assert_eq!(tuple.mask(&json!(["a", "b", "c"])), json!(["a", "***", "c"]));
}

#[test]
fn masks_a_property_that_is_called_secret_only_when_told() {
    let schema = schema(json!({"properties": {"secret": {"type": "boolean"}, "token": {"secret": true}}}));
    assert_eq!(schema.mask(&json!({"secret": true, "token": 1})), json!({"secret": true, "token": "***"}));
}

#[test]
fn references_in_a_circle_end() {
    let tree =
        schema(json!({"properties": {"child": {"$ref": "#"}, "key": {"secret": true}, "n": {"default": 1}}}));
    let value = json!({"child": {"child": {"key": "x"}}});
    assert_eq!(tree.mask(&value), json!({"child": {"child": {"key": "***"}}}));
    let mut value = value;
    tree.fill_defaults(&mut value).unwrap();
    assert_eq!(value, json!({"n": 1, "child": {"n": 1, "child": {"n": 1, "key": "x"}}}));
}

#[test]
fn fills_defaults() {
    let document = json!({"type": "object", "properties": {
        "period": {"type": "number", "default": 60},
        "options": {"type": "object", "default": {}, "properties": {"deep": {"default": true}}},
        "absent": {"type": "object", "properties": {"deep": {"default": true}}},
        "list": {"items": {"properties": {"n": {"default": 0}}}}}});
    assert_eq!(filled(document.clone(), json!({})), json!({"period": 60, "options": {"deep": true}}));
    let given = json!({"period": null, "options": {"deep": false}, "absent": {}, "list": [{}, 1]});
    let expected =
        json!({"period": null, "options": {"deep": false}, "absent": {"deep": true}, "list": [{"n": 0}, 1]});
    assert_eq!(filled(document.clone(), given), expected);
    assert_eq!(filled(document, json!("text")), json!("text"));
    let referred = json!({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"default": 5}}});
    assert_eq!(filled(referred, json!({})), json!({"a": 5}));
    assert_eq!(filled(json!({"allOf": [{"properties": {"a": {"default": 1}}}]}), json!({})), json!({"a": 1}));
}

#[test]
fn refuses_what_is_no_schema() {
    let fault = |document: Value| Schema::compile(&document).unwrap_err();
    assert_eq!(fault(json!([])).at, "");
    assert_eq!(fault(json!({"type": "strin"})).at, "type");
    assert_eq!(fault(json!({"properties": {"a": {"type": 1}}})).at, "properties.a.type");
    assert_eq!(fault(json!({"url": {"type": "string"}})).at, "url");
    assert!(fault(json!({"url": {"type": "string"}})).message.contains("`properties`"));
    assert!(Schema::compile(&json!({"properties": {"a": {"pattern": "("}}})).is_err());
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({"not": deep});
    }
    assert!(fault(deep).message.contains("deep"));
}

#[test]
fn fetches_nothing() {
    for reference in ["https://example.com/schema.json", "file:///etc/passwd", "other.json", "#/$defs/none"] {
        assert!(Schema::compile(&json!({"properties": {"a": {"$ref": reference}}})).is_err(), "{reference}");
    }
}

#[test]
fn a_schema_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Schema>();
}

#[test]
fn canonical_texts() {
    assert_eq!(
        canonical(&json!({"b": [1.0, -0.0, 1.5], "a": {"é": null, "\n": "\n"}})),
        r#"{"a":{"\n":"\n","é":null},"b":[1,0,1.5]}"#
    );
    assert_eq!(canonical(&json!(1e300)), canonical(&json!(1e300)));
    assert_eq!(canonical(&json!(u64::MAX)), "18446744073709551615");
    assert_ne!(canonical(&json!(u64::MAX)), canonical(&json!(18_446_744_073_709_551_615.0)));
    assert_ne!(canonical(&json!("1")), canonical(&json!(1)));
}

proptest! {
    #[test]
    fn whole_floats_and_integers_have_one_text(integer: i32) {
        prop_assert_eq!(canonical(&json!(f64::from(integer))), canonical(&json!(integer)));
    }

    #[test]
    fn a_canonical_text_reads_back(keys in prop::collection::btree_map(any::<String>(), any::<i64>(), 0..5)) {
        let value = json!({"keys": keys, "list": keys.values().collect::<Vec<_>>()});
        prop_assert_eq!(serde_json::from_str::<Value>(&canonical(&value)).unwrap(), value);
    }
}
