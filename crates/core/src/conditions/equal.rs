//! Equality of JSON: the same value, numbers by value.

use std::cmp::Ordering;

use serde_json::Value;

use super::number;
use crate::event::Found;

/// Whether two documents are the same value. The order of keys never matters, that of elements does.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number::compare(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let in_right = |(key, value)| right.get(key).is_some_and(|other| same(value, other));
            left.len() == right.len() && left.iter().all(in_right)
        }
        _ => left == right,
    }
}

/// Whether a field of an event holds this value.
pub(super) fn found_same(found: &Found, value: &Value) -> bool {
    match found {
        Found::Json(json) => same(json, value),
        Found::Text(text) => value.as_str() == Some(text),
        Found::Integer(_) => match (found.as_number(), value.as_number()) {
            (Some(left), Some(right)) => number::compare(&left, right) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_equal_by_value_at_any_depth() {
        assert!(same(&json!({"a": [1, {"b": 2.0}]}), &json!({"a": [1.0, {"b": 2}]})));
        assert!(!same(&json!([1, 2]), &json!([2, 1])));
        assert!(!same(&json!([1]), &json!([1, 1])));
        assert!(!same(&json!({"a": null}), &json!({"b": null})));
        assert!(!same(&json!({"a": null}), &json!({})));
    }

    #[test]
    fn types_are_never_converted() {
        let all = [json!(null), json!(false), json!(0), json!(""), json!("0"), json!([]), json!({})];
        for (i, left) in all.iter().enumerate() {
            for (j, right) in all.iter().enumerate() {
                assert_eq!(same(left, right), i == j, "{left} {right}");
            }
        }
    }
}
