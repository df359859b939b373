//! JSON Schemas of configurations, parameters and payloads, and what Attune adds to them: `secret: true` and defaults.
//!
//! A schema is compiled once. It never fetches anything: a `$ref` leads into the schema itself or is refused. Messages
//! show no value at all when the schema knows secrets, and never a long one. The empty schema accepts everything.
//!
//! A schema and a value together may ask for more work than there is time. What applies to one value is counted when the
//! schema is compiled (`cost`), and refused beyond a limit; what the parts of a value make of it is counted in steps while
//! it is checked (`meter`), masked (`secrets`) or filled (`defaults`). So each of them ends, whatever an author wrote.

mod canonical;
#[cfg(test)]
mod corpus;
mod cost;
mod defaults;
mod graph;
mod meter;
#[cfg(test)]
mod oracle;
mod parts;
mod references;
mod secrets;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::path::{index_place, key_place};
use cost::Cost;
use graph::Graph;
use meter::Metered;
use references::References;
use secrets::Mask;

pub use canonical::canonical;

/// What a message quotes of a value at most.
const QUOTED: usize = 100;
/// The longest message about a value, in characters: some list all that is wrong.
const LONGEST: usize = 1_000;
/// Steps of a regular expression that must backtrack, and bytes of any.
const BACKTRACK_LIMIT: usize = 10_000;
const REGEX_LIMIT: usize = 1 << 20;
/// Levels of a document that is compiled on the caller's stack, and the stack for those that are deeper.
const SHALLOW: usize = 24;
const STACK: usize = 64 << 20;
/// Held while a deep document is compiled.
static DEEP: Mutex<()> = Mutex::new(());
/// Looks at the parts of a value to find out whether it keeps to a schema; then, if not, to say where.
const STEPS: u64 = 5_000_000;
const STEPS_OF_MESSAGE: u64 = 100_000;

/// What a value may be in JSON Schema.
const TYPES: &str = "array, boolean, integer, null, number, object and string";

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    document: Value,
    references: References,
    validator: Validator<Metered>,
    cost: Cost,
    mask: Mask,
    has_secrets: bool,
    has_defaults: bool,
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
        if shape::depth(value) <= SHALLOW {
            return Self::compile_here(value);
        }
        // One at a time, so that however many ask for it, there is one such stack.
        let _alone = DEEP.lock().unwrap_or_else(PoisonError::into_inner);
        // The compiler calls itself for each level of the document, and for references eight times as often.
        let compile = || Self::compile_here(value);
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, compile);
            let thread =
                thread.map_err(|error| graph::fault("", format!("no thread to compile it: {error}")))?;
            thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
        })
    }

    fn compile_here(value: &Value) -> Result<Self, SchemaFault> {
        let references = References::read(value);
        let built = Graph::build(value, &references)?;
        let cost = Cost::of(value, &built)?;
        let patterns = PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT).size_limit(REGEX_LIMIT);
        let validator = jsonschema::options_for::<Metered>()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(patterns)
            .build(value)
            .map_err(|error| fault(&error))?;
        let mask = Mask::new(&built.graph);
        let has_secrets = secrets::any(value);
        let has_defaults = defaults::any(value);
        Ok(Self { document: value.clone(), references, validator, cost, mask, has_secrets, has_defaults })
    }

    /// Whether the value keeps to the schema.
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        self.check(value, |error| self.violation(error))
    }

    /// As [`Self::validate`], for a value that may hold secrets which this schema knows nothing of: none of it is quoted.
    pub fn validate_quietly(&self, value: &Value) -> Result<(), Violation> {
        self.check(value, |error| Violation {
            path: place(error.instance_path()),
            message: error.masked_with(kind_of(error.instance())).to_string(),
        })
    }

    /// Puts in the defaults of properties that are missing, also inside objects and lists that are there. Where that would
    /// make the value larger than it may get, some are missing, and the violation says so.
    pub fn fill_defaults(&self, value: &mut Value) -> Result<(), Violation> {
        if !self.has_defaults {
            return Ok(());
        }
        let excess = |_| whole("the schema has more defaults for this value than may be filled in");
        defaults::fill(&self.document, &self.references, value).map_err(excess)
    }

    /// The value with `"***"` in place of every field that the schema calls secret.
    #[must_use]
    pub fn mask(&self, value: &Value) -> Value {
        if self.has_secrets { self.mask.apply(value) } else { value.clone() }
    }

    /// Whether any field is secret.
    pub fn has_secrets(&self) -> bool {
        self.has_secrets
    }

    /// Asks first whether the value is right, which collects nothing, and then what is wrong.
    fn check(&self, value: &Value, say: impl Fn(&ValidationError) -> Violation) -> Result<(), Violation> {
        if !self.cost.allows_depth(|| depth(value)) {
            return Err(whole("is nested deeper than this schema can be checked"));
        }
        match meter::within(STEPS, self.cost, || self.validator.is_valid(value)).0 {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(_) => {
                let message = format!(
                    "to check it against this schema takes more than {STEPS} steps; make the value smaller, or the schema's choices and patterns fewer"
                );
                return Err(whole(message));
            }
        }
        match meter::within(STEPS_OF_MESSAGE, self.cost, || self.validator.validate(value)).0 {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(say(&error).shortened()),
            Err(_) => Err(whole("breaks its schema; it is too large to say where")),
        }
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

impl Violation {
    fn shortened(mut self) -> Self {
        if let Some((end, _)) = self.message.char_indices().nth(LONGEST) {
            self.message.truncate(end);
            self.message.push('…');
        }
        self
    }
}

/// What is wrong with a value as a whole.
fn whole(message: impl Into<String>) -> Violation {
    Violation { path: String::new(), message: message.into() }
}

/// How many levels a value has inside.
fn depth(value: &Value) -> u64 {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
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
