//! What a condition costs, told before it is tested.

use regex::Regex;
use serde_json::Value;

use super::Operator;
use crate::event::Found;
use crate::pattern::choices;
use crate::work::{self, Exhausted};

/// What testing takes at least.
const CONDITION: u64 = 32;
/// What looking at one part of a value takes.
const PART: u64 = 16;
/// What each place takes in which a search may be, for each byte of a text.
const PLACE: u64 = 4;

/// What is known of it when it is compiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// To compare something with its value. Nothing takes more, whatever it is.
    comparison: u64,
    /// For each byte of a text.
    search: u64,
}

impl Cost {
    pub(super) fn of(value: &Value, regex: Option<&Regex>) -> Self {
        let places = regex.map_or(0, |regex| choices(regex.as_str()) as u64);
        Self { comparison: weight(value), search: 1 + places.saturating_mul(PLACE) }
    }

    /// Takes it off the budget of the thread.
    pub(super) fn spend(self, operator: Operator, found: &Found) -> Result<(), Exhausted> {
        work::spend(self.steps(operator, found).saturating_add(CONDITION))
    }

    fn steps(self, operator: Operator, found: &Found) -> u64 {
        match operator {
            Operator::Exists => 0,
            Operator::Matches => self.search.saturating_mul(length(found)),
            Operator::Contains => match found {
                Found::Json(Value::Array(list)) => self.comparison.saturating_mul(list.len() as u64),
                _ => self.comparison.saturating_add(length(found)),
            },
            _ => self.comparison,
        }
    }
}

fn length(found: &Found) -> u64 {
    found.as_str().map_or(0, str::len) as u64
}

/// All parts of a value, and the bytes of its texts.
fn weight(value: &Value) -> u64 {
    let inside: u64 = match value {
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() as u64 + weight(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    PART + inside
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(operator: Operator, value: &Value, found: &Value) -> u64 {
        let regex =
            value.as_str().filter(|_| operator == Operator::Matches).map(|it| Regex::new(it).unwrap());
        Cost::of(value, regex.as_ref()).steps(operator, &Found::Json(found))
    }

    #[test]
    fn what_a_condition_costs_follows_from_its_value_and_from_what_it_searches() {
        let long = json!("x".repeat(1_000_000));
        assert_eq!(steps(Operator::Equals, &json!("abc"), &long), PART + 3);
        assert_eq!(steps(Operator::Contains, &json!("abc"), &long), PART + 1_000_003);
        assert_eq!(steps(Operator::Contains, &json!(1), &json!(vec![0; 5000])), 5000 * PART);
        assert_eq!(steps(Operator::In, &json!(["ab", 1]), &json!("ab")), 3 * PART + 2);
        assert_eq!(steps(Operator::Matches, &json!("x"), &long), 1_000_000);
        assert_eq!(steps(Operator::Matches, &json!("[ab]{300}"), &long), 1_000_000 * (1 + 300 * PLACE));
        assert_eq!(steps(Operator::Exists, &json!(true), &long), 0);
    }
}
