//! The operators, by name and by what they mean.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use super::equal::{found_same, same};
use super::number;
use crate::event::Found;

macro_rules! operators {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// What a condition asks of its field. A missing field is `null`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operator { $(#[doc = $doc] $variant,)* }

        impl Operator {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in a rule.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

operators! {
    Equals = "equals", "The same JSON value; numbers by value; null equals null.";
    NotEquals = "not_equals", "The exact negation of `equals`.";
    GreaterThan = "greater_than", "Two numbers by value or two strings by code point; any other pair is false.";
    GreaterOrEqual = "greater_or_equal", "As `greater_than`, or equal.";
    LessThan = "less_than", "Two numbers by value or two strings by code point; any other pair is false.";
    LessOrEqual = "less_or_equal", "As `less_than`, or equal.";
    Contains = "contains", "A substring of a string, an element of a list, a key of an object; else false.";
    StartsWith = "starts_with", "Two strings; else false.";
    EndsWith = "ends_with", "Two strings; else false.";
    In = "in", "The value is a list that holds the field.";
    NotIn = "not_in", "The exact negation of `in`.";
    Matches = "matches", "A regular expression that is found in a string; else false.";
    Exists = "exists", "The field is not null; with the value false: it is.";
}

impl Operator {
    /// The operator of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operator| operator.name() == name)
    }

    /// Whether `value` can make it hold for some field. Where not, the condition is legal and for ever false (or true,
    /// for a negation), which its author surely did not mean.
    pub(super) fn accepts(self, value: &Value) -> bool {
        match self {
            Self::GreaterThan | Self::GreaterOrEqual | Self::LessThan | Self::LessOrEqual => {
                value.is_number() || value.is_string()
            }
            Self::StartsWith | Self::EndsWith | Self::Matches => value.is_string(),
            Self::In | Self::NotIn => value.is_array(),
            Self::Exists => value.is_boolean(),
            Self::Equals | Self::NotEquals | Self::Contains => true,
        }
    }

    /// Whether it holds. `regex` is the compiled value of `matches`.
    pub(super) fn holds(self, found: &Found, value: &Value, regex: Option<&Regex>) -> bool {
        match self {
            Self::Equals => found_same(found, value),
            Self::NotEquals => !found_same(found, value),
            Self::GreaterThan => order(found, value).is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order(found, value).is_some_and(Ordering::is_ge),
            Self::LessThan => order(found, value).is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order(found, value).is_some_and(Ordering::is_le),
            Self::Contains => contains(found, value),
            Self::StartsWith => both_text(found, value).is_some_and(|(text, start)| text.starts_with(start)),
            Self::EndsWith => both_text(found, value).is_some_and(|(text, end)| text.ends_with(end)),
            Self::In => is_in(found, value),
            Self::NotIn => !is_in(found, value),
            Self::Matches => found.as_str().zip(regex).is_some_and(|(text, regex)| regex.is_match(text)),
            Self::Exists => found.is_null() != (value == &Value::Bool(true)),
        }
    }
}

/// UTF-8 keeps the order of code points, so comparing bytes is comparing code points.
fn order(found: &Found, value: &Value) -> Option<Ordering> {
    if let Some((text, other)) = both_text(found, value) {
        return Some(text.cmp(other));
    }
    number::compare(found.as_number()?.as_ref(), value.as_number()?)
}

fn both_text<'a>(found: &'a Found, value: &'a Value) -> Option<(&'a str, &'a str)> {
    found.as_str().zip(value.as_str())
}

fn contains(found: &Found, value: &Value) -> bool {
    match found {
        Found::Json(Value::Array(list)) => list.iter().any(|element| same(element, value)),
        Found::Json(Value::Object(map)) => value.as_str().is_some_and(|key| map.contains_key(key)),
        _ => both_text(found, value).is_some_and(|(text, part)| text.contains(part)),
    }
}

fn is_in(found: &Found, value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(|element| found_same(found, element)))
}
