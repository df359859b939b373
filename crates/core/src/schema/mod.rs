//! JSON Schemas of configurations, parameters and payloads, and what Attune adds to them: `secret: true` and defaults.
//!
//! A schema is compiled once. It never fetches anything: a `$ref` leads into the schema itself or is refused. Messages
//! show no value at all when the schema knows secrets, and never a long one. The empty schema accepts everything.

mod canonical;
mod defaults;
mod secrets;
mod shape;
#[cfg(test)]
mod tests;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::path::{index_place, key_place};

pub use canonical::canonical;

/// What a message quotes of a value at most.
const QUOTED: usize = 100;
/// Steps of a regular expression that must backtrack, and bytes of any.
const BACKTRACK_LIMIT: usize = 100_000;
const REGEX_LIMIT: usize = 1 << 20;

/// What a value may be in JSON Schema.
const TYPES: &str = "array, boolean, integer, null, number, object and string";

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    document: Value,
    validator: Validator,
    has_secrets: bool,
}

/// What is wrong with a schema, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct SchemaFault {
    /// The place, as a path: `properties.url.type`; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

/// The first way in which a value breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Violation {
    /// The place in the value, as a path; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Schema {
    /// Compiles a JSON Schema. Formats are checked; unknown ones are not.
    pub fn compile(value: &Value) -> Result<Self, SchemaFault> {
        shape::check(value)?;
        let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT).size_limit(REGEX_LIMIT);
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(patterns)
            .build(value)
            .map_err(|error| fault(&error))?;
        Ok(Self { document: value.clone(), validator, has_secrets: secrets::any(value) })
    }

    /// Whether the value keeps to the schema.
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        self.validator.validate(value).map_err(|error| self.violation(&error))
    }

    /// As [`Self::validate`], for a value that may hold secrets which this schema knows nothing of: none of it is quoted.
    pub fn validate_quietly(&self, value: &Value) -> Result<(), Violation> {
        let quiet = |error: ValidationError<'_>| Violation {
            path: place(error.instance_path()),
            message: error.masked_with(kind_of(error.instance())).to_string(),
        };
        self.validator.validate(value).map_err(quiet)
    }

    /// Puts in the defaults of properties that are missing, also inside objects and lists that are there.
    pub fn fill_defaults(&self, value: &mut Value) {
        defaults::fill(&self.document, value);
    }

    /// The value with `"***"` in place of every field that the schema calls secret.
    #[must_use]
    pub fn mask(&self, value: &Value) -> Value {
        if self.has_secrets { secrets::mask(&self.document, value) } else { value.clone() }
    }

    /// Whether any field is secret.
    pub fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    fn violation(&self, error: &ValidationError) -> Violation {
        let is_short = || error.instance().to_string().len() <= QUOTED;
        // The kinds below would quote the text of a value by another way than the instance.
        let is_harmless = !matches!(error.kind(), ValidationErrorKind::PropertyNames { .. });
        let shown = !self.has_secrets && is_harmless && is_short();
        let message = if shown { error.to_string() } else { error.masked_with("the value").to_string() };
        Violation { path: place(error.instance_path()), message }
    }
}

/// What may be said of a value that may be secret.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "the boolean",
        Value::Number(_) => "the number",
        Value::String(_) => "the string",
        Value::Array(_) => "the list",
        Value::Object(_) => "the object",
    }
}

fn fault(error: &ValidationError) -> SchemaFault {
    let at = place(error.instance_path());
    let is_type = at.rsplit('.').next() == Some("type");
    let message = match error.kind() {
        ValidationErrorKind::AnyOf { .. } if is_type => {
            format!("{} is no type; there are {TYPES}", error.instance())
        }
        _ => error.to_string(),
    };
    SchemaFault { at, message }
}

fn place(location: &Location) -> String {
    location.segments().fold(String::new(), |at, segment| match segment {
        LocationSegment::Property(name) => key_place(&at, &name),
        LocationSegment::Index(index) => index_place(&at, index),
    })
}
