//! The schemas of `corpus/schemas`: hostile ones are refused or end within their budget, ordinary ones stay accepted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

fn files(folder: &str) -> BTreeMap<String, Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/schemas").join(folder);
    let files = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    };
    files.map(read).collect()
}

fn nested(depth: usize, around: impl Fn(Value) -> Value) -> Value {
    (0..depth).fold(json!({"key": "s3cret"}), |inside, _| around(inside))
}

fn values() -> Vec<(&'static str, Value)> {
    include!("../../../../corpus/schemas/values.rs")
}

fn verdict(schema: &Schema, value: &Value) -> String {
    let (outcome, steps) = meter::within(STEPS, schema.cost, || schema.validator.is_valid(value));
    let said = match outcome {
        _ if !schema.cost.allows_depth(|| depth(value)) => "too deep".to_owned(),
        Ok(true) => "valid".to_owned(),
        // Finding the words has a budget of its own.
        Ok(false) => schema.validate(value).unwrap_err().to_string().chars().take(60).collect(),
        Err(_) => "given up".to_owned(),
    };
    std::hint::black_box(schema.mask(value));
    let filled = if schema.fill_defaults(&mut value.clone()).is_ok() { "" } else { ", too many defaults" };
    format!("{steps} steps{filled}: {said}")
}

#[test]
fn hostile_schemas_are_refused_or_end() {
    let values = values();
    let mut outcomes = BTreeMap::new();
    for (name, document) in files("hostile") {
        let outcome = match Schema::compile(&document) {
            Err(fault) => json!(format!("refused: {fault}")),
            Ok(schema) => values.iter().map(|(name, value)| (*name, verdict(&schema, value))).collect(),
        };
        outcomes.insert(name, outcome);
    }
    assert!(outcomes.len() >= 20);
    insta::assert_json_snapshot!(outcomes);
}

#[test]
fn ordinary_schemas_stay_accepted() {
    let all = files("ordinary");
    assert!(all.len() >= 10);
    for (name, case) in all {
        let schema = Schema::compile(&case["schema"]).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(schema.validate(&case["value"]), Ok(()), "{name}");
        assert!(
            schema.validate(&json!(["none of them", {"is": "this"}, 1, {}])).is_err() || name == "json_value",
            "{name}"
        );
        schema.fill_defaults(&mut case["value"].clone()).unwrap();
    }
}

#[test]
fn a_secret_behind_an_anchor_is_masked() {
    let case = &files("ordinary")["login_with_anchor"];
    let schema = Schema::compile(&case["schema"]).unwrap();
    let value = json!({"primary": {"password": "a"}, "fallback": {"password": "b"}});
    assert_eq!(schema.mask(&value), json!({"primary": {"password": "***"}, "fallback": {"password": "***"}}));
}

#[test]
fn a_recursive_schema_takes_the_deepest_value_that_is_read() {
    let case = &files("ordinary")["tree"];
    let schema = Schema::compile(&case["schema"]).unwrap();
    let tree = (0..60).fold(json!({"value": 0}), |inside, _| json!({"value": 1, "children": [inside]}));
    assert_eq!(schema.validate(&tree), Ok(()));
    let list = (0..120).fold(json!(null), |tail, _| json!({"head": 1, "tail": tail}));
    let schema = Schema::compile(&files("ordinary")["linked_list"]["schema"]).unwrap();
    assert_eq!(schema.validate(&list), Ok(()));
}

#[test]
fn a_million_ordinary_parts_are_within_the_budget() {
    let schema = Schema::compile(
        &json!({"type": "array", "items": {"oneOf": [{"type": "integer"}, {"type": "string"}]}}),
    )
    .unwrap();
    assert_eq!(schema.validate(&json!(vec![1; 500_000])), Ok(()));
}

#[test]
fn the_deepest_check_fits_a_small_stack() {
    // The limits of `cost` are about the stack of a thread of the service, which has 2 MiB.
    let inner = (0..60).fold(
        json!({"properties": {"x": {"$ref": "#"}}, "required": ["y"]}),
        |inside, _| json!({"anyOf": [inside]}),
    );
    let chain = json!({"type": "object", "allOf": [{"not": inner}]});
    let wide = (0..14).fold(
        json!({"type": "object", "properties": {"x": {"$ref": "#"}}}),
        |inside, _| json!({"allOf": [inside]}),
    );
    let deep = |depth| nested(depth, |inside| json!({"x": inside}));
    let check = move || {
        let chain = Schema::compile(&chain).unwrap();
        assert!(chain.validate(&deep(10)).is_ok() || chain.validate(&deep(10)).is_err());
        assert!(chain.validate(&deep(120)).unwrap_err().message.contains("deeper"));
        let wide = Schema::compile(&wide).unwrap();
        assert_eq!(wide.validate(&deep(60)), Ok(()));
        assert_eq!(wide.mask(&deep(60)), deep(60));
        let wrong = (0..60).fold(json!(1), |inside, _| json!({"x": inside}));
        assert!(wide.validate(&wrong).unwrap_err().message.contains("object"));
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn the_deepest_document_fits_a_small_stack() {
    // Eight deep documents that refer to one another at their innermost.
    let link = |number: usize| {
        let innermost =
            if number < 9 { json!({"$ref": format!("#/$defs/d{}", number + 1)}) } else { json!({}) };
        (0..6).fold(innermost, |inside, _| json!({"not": inside}))
    };
    let properties = |inner: Value| (0..50).fold(inner, |inside, _| json!({"properties": {"x": inside}}));
    let defs: serde_json::Map<_, _> =
        (0..10).map(|number| (format!("d{number}"), properties(link(number)))).collect();
    let document = json!({"$ref": "#/$defs/d0", "$defs": defs});
    let check = move || drop(Schema::compile(&document).map(|schema| schema.validate(&json!({"x": 1}))));
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}
