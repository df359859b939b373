//! What a value of the engine weighs, in units of work.
//!
//! Weighing looks at every element, and spends as it goes. So a value that holds the same list many times over weighs what
//! its text would be, not what it takes in memory, and one that is nested without end is refused before anything recurses
//! into it.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::work::{self, COPIED, ELEMENT};

/// As deep as parsed JSON can be.
const MAX_DEPTH: usize = 128;

/// `-1.7976931348623157e308` is written with all its digits.
const LONGEST_NUMBER: usize = 330;

/// What the outermost layer weighs: the bytes of a text, the elements of a list.
pub(super) fn shallow(value: &Value) -> usize {
    match value.kind() {
        ValueKind::String => value.as_str().map_or(0, str::len),
        ValueKind::Bytes => value.as_bytes().map_or(0, <[u8]>::len),
        _ => value.len().unwrap_or(0).saturating_mul(COPIED),
    }
}

/// What all layers weigh together. Spends as much, and fails when there is not as much left.
pub(super) fn deep(value: &Value) -> Result<usize, Error> {
    layer(value, 0)
}

fn layer(value: &Value, depth: usize) -> Result<usize, Error> {
    let own = ELEMENT.saturating_add(written(value));
    work::spend(own)?;
    let inside = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => elements(value, depth)?,
        ValueKind::Map => entries(value, depth)?,
        _ => 0,
    };
    Ok(own.saturating_add(inside))
}

/// What one layer is at most when it is written: as JSON, as the engine shows it, or for a page.
fn written(value: &Value) -> usize {
    match value.kind() {
        ValueKind::String => value.as_str().map_or(0, |text| text.len() + escapes(text)),
        ValueKind::Number if value.as_i64().is_none() => LONGEST_NUMBER,
        _ => shallow(value),
    }
}

/// The bytes that escaping adds: a control character becomes `\u0000`, a quote `&#x27;`, an invisible one `\u{200b}`.
fn escapes(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\'' | b'&' | b'<' | b'>' | b'/' | b'\\' | 0..=0x1f | 0x7f => 5,
            0x80.. => 3,
            _ => 0,
        })
        .sum()
}

fn elements(value: &Value, depth: usize) -> Result<usize, Error> {
    check(value, depth)?;
    let mut sum = 0_usize;
    for element in value.try_iter()? {
        sum = sum.saturating_add(layer(&element, depth + 1)?);
    }
    Ok(sum)
}

fn entries(value: &Value, depth: usize) -> Result<usize, Error> {
    check(value, depth)?;
    let mut sum = 0_usize;
    for key in value.try_iter()? {
        sum = sum.saturating_add(layer(&key, depth + 1)?);
        sum = sum.saturating_add(layer(&value.get_item(&key)?, depth + 1)?);
    }
    Ok(sum)
}

fn check(value: &Value, depth: usize) -> Result<(), Error> {
    if depth >= MAX_DEPTH {
        return Err(refusal(format!("the value is nested more than {MAX_DEPTH} deep")));
    }
    refuse_changeable(value)
}

/// Refuses a namespace: the only value that changes, so the only one that could come to hold itself.
pub(super) fn refuse_changeable(value: &Value) -> Result<(), Error> {
    let is_changeable = value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"));
    if is_changeable {
        return Err(refusal("a namespace is no value: name one of its attributes, as in `ns.total`"));
    }
    Ok(())
}

pub(super) fn refusal(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
