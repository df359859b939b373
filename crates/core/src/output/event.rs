//! One event, from its bytes.

use serde_json::Value;

use super::storable::{Reason, storable};

/// Bytes of one event's payload.
pub const EVENT_LIMIT: usize = 1024 * 1024;

/// An event that can not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The bytes as they came; of a line beyond all limits, its start.
    pub raw: Vec<u8>,
    /// Why.
    pub reason: Reason,
}

/// The event that `raw` is, if it can be stored.
pub(crate) fn read(raw: &str) -> Result<Value, Rejected> {
    object(raw, EVENT_LIMIT).map_err(|reason| Rejected { raw: raw.as_bytes().to_vec(), reason })
}

/// The object that `raw` is, if it can be stored.
pub(super) fn object(raw: &str, limit: usize) -> Result<Value, Reason> {
    if raw.len() > limit {
        return Err(Reason::TooLarge(limit));
    }
    let value: Value = serde_json::from_str(raw).map_err(|error| Reason::of_parse_error(&error))?;
    if !value.is_object() {
        return Err(Reason::NotAnObject(kind(&value)));
    }
    storable(&value).map(|()| value)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
