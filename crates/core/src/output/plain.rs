//! The output of a plain program: one JSON object, `{"events": [...], "state": {...}, "contact": true}`; further keys are its
//! own.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::error::OutputError;
use super::event::{self, Rejected};
use super::quote;
use crate::protocol::POLL_EVENTS;

/// What a poll of a plain program gave.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainOutput {
    /// The events in their order, those that can not be stored among them.
    pub events: Vec<Result<Value, Rejected>>,
    /// The state to keep; `None` leaves it as it is.
    pub state: Option<Value>,
    /// It says that it reached its source.
    pub contact: bool,
}

/// Each value of the object stays text until it is known to matter, so that an event's bytes are at hand when it is
/// rejected, and one bad number does not spoil the events beside it.
type Parts<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the whole of a program's stdout.
pub fn parse_plain(stdout: &[u8]) -> Result<PlainOutput, OutputError> {
    let text = str::from_utf8(stdout).map_err(|error| OutputError::NotUtf8 {
        position: error.valid_up_to(),
        excerpt: quote::around(stdout, error.valid_up_to()),
    })?;
    let parts = parts(text)?;
    let events =
        parts.get("events").ok_or_else(|| OutputError::NoEvents { excerpt: quote::start(stdout) })?;
    Ok(PlainOutput {
        events: self::events(events)?,
        state: parts.get("state").map_or(Ok(None), |raw| state(raw))?,
        contact: parts.get("contact").is_some_and(|raw| raw.get() == "true"),
    })
}

fn parts(text: &str) -> Result<Parts<'_>, OutputError> {
    let excerpt = || quote::start(text.trim_start().as_bytes());
    match text.trim_start().chars().next() {
        None => return Err(OutputError::Empty),
        Some('\u{feff}') => {
            let reason = "it begins with a byte order mark, U+FEFF".to_owned();
            return Err(OutputError::NotJson { reason, excerpt: excerpt() });
        }
        Some(_) => {}
    }
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Parts>();
    match objects.next() {
        Some(Ok(parts)) => nothing_more(&text[objects.byte_offset()..]).map(|()| parts),
        Some(Err(error)) if error.classify() == Category::Data => {
            Err(OutputError::NotAnObject { excerpt: excerpt() })
        }
        Some(Err(error)) => Err(not_json(text, &error)),
        None => Err(OutputError::Empty),
    }
}

fn nothing_more(rest: &str) -> Result<(), OutputError> {
    match rest.trim() {
        "" => Ok(()),
        rest => Err(OutputError::Trailing { excerpt: quote::start(rest.as_bytes()) }),
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> OutputError {
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let position = line_start + error.column().saturating_sub(1);
    OutputError::NotJson { reason: error.to_string(), excerpt: quote::around(text.as_bytes(), position) }
}

fn events(raw: &RawValue) -> Result<Vec<Result<Value, Rejected>>, OutputError> {
    let events: Vec<&RawValue> = serde_json::from_str(raw.get())
        .map_err(|_| OutputError::EventsNotAnArray { excerpt: quote::start(raw.get().as_bytes()) })?;
    if events.len() > POLL_EVENTS {
        return Err(OutputError::TooManyEvents);
    }
    Ok(events.into_iter().map(|event| event::read(event.get())).collect())
}

/// The state that a program wants kept. `null` is none.
pub(crate) fn state(raw: &RawValue) -> Result<Option<Value>, OutputError> {
    if raw.get() == "null" {
        return Ok(None);
    }
    event::object(raw.get(), event::EVENT_LIMIT).map(Some).map_err(|reason| OutputError::BadState {
        reason: reason.to_string(),
        excerpt: quote::start(raw.get().as_bytes()),
    })
}
