//! The table of operators, held against a second, slower reading of it.

#![expect(clippy::needless_pass_by_value, reason = "literals of JSON read better without a `&`")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::event::tests::event;

fn holds(operator: &str, found: &Value, value: &Value) -> bool {
    let rule = json!([{"field": "payload.x", "operator": operator, "value": value}]);
    Conditions::compile(&rule).unwrap().matches(&event(json!({"x": found})))
}

fn matches(rule: Value, payload: Value) -> bool {
    Conditions::compile(&rule).unwrap().matches(&event(payload))
}

fn fault(rule: Value) -> ConditionFault {
    Conditions::compile(&rule).unwrap_err()
}

#[test]
fn the_table() {
    #[rustfmt::skip]
    let table = [
        ("equals", json!(1), json!(1.0), true), ("equals", json!(null), json!(null), true),
        ("equals", json!("1"), json!(1), false), ("equals", json!([1, 2]), json!([1.0, 2]), true),
        ("greater_than", json!(2), json!(1.5), true), ("greater_than", json!(1), json!(1.0), false),
        ("greater_or_equal", json!(1), json!(1.0), true), ("less_than", json!("Z"), json!("a"), true),
        ("less_or_equal", json!("é"), json!("z"), false), ("less_than", json!("\u{ffff}"), json!("\u{10000}"), true),
        ("greater_than", json!("2"), json!(1), false), ("less_than", json!("2"), json!(1), false),
        ("greater_or_equal", json!(null), json!(null), false), ("less_or_equal", json!(true), json!(true), false),
        ("greater_than", json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), true),
        ("equals", json!(u64::MAX), json!(18_446_744_073_709_551_615.0), false),
        ("contains", json!("abc"), json!("b"), true), ("contains", json!("abc"), json!(""), true),
        ("contains", json!(["a", 1]), json!(1.0), true), ("contains", json!(["abc"]), json!("b"), false),
        ("contains", json!({"a": 1}), json!("a"), true), ("contains", json!({"a": 1}), json!(1), false),
        ("contains", json!(12), json!(1), false), ("contains", json!(null), json!(null), false),
        ("contains", json!([[1]]), json!([1.0]), true), ("contains", json!("1"), json!(1), false),
        ("starts_with", json!("abc"), json!("ab"), true), ("starts_with", json!(["ab"]), json!("ab"), false),
        ("ends_with", json!("abc"), json!("bc"), true), ("ends_with", json!(12), json!(2), false),
        ("in", json!(1), json!([1.0, 2]), true), ("in", json!(null), json!([null]), true),
        ("in", json!("a"), json!("abc"), false), ("in", json!("a"), json!({"a": 1}), false),
        ("not_in", json!("a"), json!("abc"), true), ("not_in", json!(1), json!([1]), false),
        ("matches", json!("an error 42"), json!(r"error \d+"), true), ("matches", json!("Error"), json!("^error"), false),
        ("matches", json!(42), json!("42"), false), ("matches", json!(null), json!(""), false),
        ("exists", json!(0), json!(true), true), ("exists", json!(null), json!(true), false),
        ("exists", json!(null), json!(false), true), ("exists", json!(false), json!(false), false),
    ];
    for (operator, found, value, expected) in table {
        assert_eq!(holds(operator, &found, &value), expected, "{found} {operator} {value}");
    }
}

#[test]
fn a_missing_field_is_null() {
    assert!(matches(json!([{"field": "payload.a.b[3]", "operator": "equals", "value": null}]), json!({})));
    assert!(matches(json!([{"field": "key", "operator": "exists", "value": false}]), json!({})));
    assert!(matches(json!([{"field": "no.such", "operator": "not_equals", "value": 1}]), json!({})));
    assert!(!matches(json!([{"field": "payload.a", "operator": "exists"}]), json!({})));
}

#[test]
fn reads_every_field_of_the_event() {
    for (field, value) in [
        ("id", json!(7)),
        ("id", json!(7.0)),
        ("trigger", json!("demo.cpu_high")),
        ("sensor", json!("demo.cpu")),
        ("created", json!("2026-02-02T02:40:00.123Z")),
        ("trigger_params.period", json!(5)),
        ("payload", json!({"x": 1})),
    ] {
        assert!(
            matches(json!([{"field": field, "operator": "equals", "value": value}]), json!({"x": 1})),
            "{field}"
        );
    }
    assert!(matches(json!([{"field": "created", "operator": "greater_than", "value": "2026"}]), json!({})));
    assert!(matches(json!([{"field": "id", "operator": "greater_than", "value": 6.5}]), json!({})));
}

#[test]
fn empty_conditions_match() {
    for rule in [json!(null), json!([]), json!({}), json!({"all": []}), json!({"none": []})] {
        assert!(matches(rule.clone(), json!({})), "{rule}");
    }
    assert!(!matches(json!({"any": []}), json!({})));
}

#[test]
fn groups_nest_and_stand_side_by_side() {
    let x = |value: i32| json!({"field": "payload.x", "operator": "equals", "value": value});
    let rule = json!({"any": [x(1), {"all": [x(2), {"none": [x(1)]}]}], "none": [x(3)]});
    assert!(matches(rule.clone(), json!({"x": 1})));
    assert!(matches(rule.clone(), json!({"x": 2})));
    assert!(!matches(rule.clone(), json!({"x": 3})));
    assert!(matches(json!([x(1), {"any": [x(1)]}]), json!({"x": 1})));
}

#[test]
fn refuses_with_the_place() {
    let good = json!({"field": "payload.x", "operator": "equals", "value": 1});
    for (rule, at) in [
        (json!("x"), ""),
        (good.clone(), ""),
        (json!([1]), "[0]"),
        (json!({"al": []}), "al"),
        (json!({"all": {}}), "all"),
        (json!({"all": [good, {"field": "payload.x", "operator": "eq", "value": 1}]}), "all[1].operator"),
        (json!([{"any": [{"none": [{"operator": "equals", "value": 1}]}]}]), "[0].any[0].none[0]"),
        (json!([{"field": "a..b", "operator": "equals", "value": 1}]), "[0].field"),
        (json!([{"field": 1, "operator": "equals", "value": 1}]), "[0].field"),
        (json!([{"field": "key", "operator": "equals"}]), "[0]"),
        (json!([{"field": "key", "operator": "equals", "value": 1, "negate": true}]), "[0].negate"),
        (json!([{"field": "key", "operator": "equals", "value": 1, "all": []}]), "[0].field"),
        (json!([{"field": "key", "operator": "matches", "value": "("}]), "[0].value"),
        (json!([{"field": "key", "operator": "matches", "value": 1}]), "[0].value"),
        (json!([{"field": "key", "operator": "matches", "value": "(a{1000}){1000}"}]), "[0].value"),
        (json!([{"field": "key", "operator": "exists", "value": "yes"}]), "[0].value"),
    ] {
        assert_eq!(fault(rule.clone()).at, at, "{rule}");
    }
    assert!(
        fault(json!([{"field": "key", "operator": "eq", "value": 1}]))
            .to_string()
            .starts_with("[0].operator: ")
    );
}

#[test]
fn refuses_groups_nested_without_end() {
    let mut rule = json!([]);
    for _ in 0..40 {
        rule = json!([{"all": rule}]);
    }
    assert!(fault(rule).message.contains("nested"));
}

#[test]
fn warns_of_what_can_not_be_meant() {
    let warned =
        |rule: Value| Conditions::compile(&rule).unwrap().warnings().first().map(|fault| fault.at.clone());
    let condition = |field: &str, operator: &str, value: Value| json!([{"field": field, "operator": operator, "value": value}]);
    assert_eq!(warned(condition("cpu", "equals", json!(1))).as_deref(), Some("[0].field"));
    assert_eq!(warned(condition("payload.x", "in", json!("abc"))).as_deref(), Some("[0].value"));
    assert_eq!(warned(condition("payload.x", "less_than", json!(true))).as_deref(), Some("[0].value"));
    assert_eq!(warned(json!({"any": []})).as_deref(), Some("any"));
    assert_eq!(warned(condition("payload.x", "in", json!([]))), None);
}

#[test]
fn explains_the_first_condition_to_blame() {
    let rule = json!({"all": [
        {"field": "payload.x", "operator": "greater_than", "value": 1},
        {"none": [{"field": "payload.y", "operator": "equals", "value": "b"}]}]});
    let conditions = Conditions::compile(&rule).unwrap();
    let explain = |payload: Value| conditions.explain(&event(payload)).to_string();
    assert_eq!(explain(json!({"x": 2})), "matches");
    assert_eq!(explain(json!({"x": 1})), "payload.x greater_than 1 does not hold: payload.x is 1");
    assert_eq!(
        explain(json!({"x": 2, "y": "b"})),
        r#"payload.y equals "b" holds and must not: payload.y is "b""#
    );
    let long = explain(json!({"x": "é".repeat(1000)}));
    assert!(long.ends_with('…') && long.len() < 600, "{long}");
    let empty = Conditions::compile(&json!({"any": []})).unwrap().explain(&event(json!({})));
    assert_eq!(empty, Verdict::EmptyGroup { at: "any".into() });
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop_oneof![Just(0.0), Just(1.0), Just(-2.5), any::<f64>()].prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

/// A condition on one of two fields, and payloads that often make it hold.
fn any_condition() -> impl Strategy<Value = Value> {
    (prop_oneof!["payload\\.a", "payload\\.b"], prop_oneof!["equals", "less_than", "contains"], any_json())
        .prop_map(|(field, operator, value)| json!({"field": field, "operator": operator, "value": value}))
}

fn any_group() -> impl Strategy<Value = Value> {
    any_condition().prop_recursive(3, 12, 3, |inner| {
        (prop_oneof!["all", "any", "none"], prop::collection::vec(inner, 0..3))
            .prop_map(|(name, list)| json!({name: list}))
    })
}

proptest! {
    #[test]
    fn negations_are_exact(found in any_json(), value in any_json(), list in prop::collection::vec(any_json(), 0..3)) {
        prop_assert_eq!(holds("equals", &found, &value), !holds("not_equals", &found, &value));
        prop_assert_eq!(holds("in", &found, &value), !holds("not_in", &found, &value));
        let list = json!(list);
        prop_assert_eq!(holds("in", &found, &list), !holds("not_in", &found, &list));
        prop_assert_eq!(holds("exists", &found, &json!(true)), !holds("exists", &found, &json!(false)));
    }

    #[test]
    fn equals_is_reflexive_and_symmetric(left in any_json(), right in any_json()) {
        prop_assert!(holds("equals", &left, &left));
        prop_assert_eq!(holds("equals", &left, &right), holds("equals", &right, &left));
    }

    #[test]
    fn in_is_equals_with_any_element(found in any_json(), list in prop::collection::vec(any_json(), 0..4)) {
        let expected = list.iter().any(|value| holds("equals", &found, value));
        prop_assert_eq!(holds("in", &found, &json!(list)), expected);
        prop_assert_eq!(holds("contains", &json!(list), &found), expected);
    }

    #[test]
    fn an_order_is_total_within_a_type_and_absent_across(left in any_json(), right in any_json()) {
        let comparable = (left.is_number() && right.is_number()) || (left.is_string() && right.is_string());
        let outcomes = ["less_than", "equals", "greater_than"].map(|operator| holds(operator, &left, &right));
        let expected = if comparable { 1 } else { usize::from(outcomes[1]) };
        prop_assert_eq!(outcomes.iter().filter(|held| **held).count(), expected);
        let at_most = holds("less_or_equal", &left, &right);
        prop_assert_eq!(at_most, comparable && (outcomes[0] || outcomes[1]));
        prop_assert_eq!(at_most, holds("greater_or_equal", &right, &left));
    }

    #[test]
    fn strings_order_by_code_point(left: String, right: String) {
        let expected = left.chars().cmp(right.chars()).is_lt();
        prop_assert_eq!(holds("less_than", &json!(left), &json!(right)), expected);
    }

    #[test]
    fn groups_obey_de_morgan(list in prop::collection::vec(any_group(), 0..4), a in any_json(), b in any_json()) {
        let payload = json!({"a": a, "b": b});
        let negated: Vec<_> = list.iter().map(|node| json!({"none": [node]})).collect();
        let holds = |rule: Value| matches(rule, payload.clone());
        prop_assert_eq!(holds(json!({"none": list})), !holds(json!({"any": list})));
        prop_assert_eq!(holds(json!({"none": list})), holds(json!({"all": negated})));
        prop_assert_eq!(holds(json!({"all": list})), !holds(json!({"any": negated})));
        prop_assert_eq!(holds(json!(list)), holds(json!({"all": list})));
    }

    #[test]
    fn an_explanation_agrees_with_the_outcome(rule in any_group(), a in any_json(), b in any_json()) {
        let event = event(json!({"a": a, "b": b}));
        let conditions = Conditions::compile(&json!([rule])).unwrap();
        prop_assert_eq!(conditions.explain(&event) == Verdict::Matches, conditions.matches(&event));
    }
}

#[test]
fn patterns_of_a_rule_may_repeat_only_so_much() {
    let many: Vec<_> =
        vec![json!({"field": "payload.a", "operator": "matches", "value": "[ab]*a[ab]{140}c"}); 3];
    let fault = Conditions::compile(&json!(many)).unwrap_err();
    assert_eq!(fault.at, "[2].value");
    assert!(Conditions::compile(&json!(many[..2])).is_ok());
}
