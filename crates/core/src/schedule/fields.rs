//! Reads the parameters of a timer, strictly: they may have been written by plain SQL, past every schema.

use serde_json::{Map, Value};

/// What a message quotes of a value at most.
const QUOTED: usize = 100;
/// Longer than any expression, name or time that a person writes.
const LONGEST: usize = 256;

/// What is wrong with a timer's parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if field.is_empty() { String::new() } else { format!("{field}: ") })]
pub struct Fault {
    /// The parameter; empty for all of them together.
    pub field: String,
    /// What is wrong, with the value.
    pub message: String,
}

impl Fault {
    pub(super) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// The parameters of one timer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// A fault for the first parameter that is not in `known`.
    pub(super) fn open(params: &'a Value, known: &[&str]) -> Result<Self, Fault> {
        let map =
            params.as_object().ok_or_else(|| Fault::new("", "the parameters of a timer are an object"))?;
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Fault::new(
                &quote(key),
                format!("is no parameter of this timer; there are {}", known.join(", ")),
            )),
            None => Ok(Self(map)),
        }
    }

    /// A whole number of at least `least`.
    pub(super) fn count(self, key: &str, least: u32, most: u32) -> Result<Option<u32>, Fault> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        // As JSON has it: 60.0 is 60.
        let number = whole(value);
        let wrong = || wrong(key, &format!("a whole number from {least} to {most}"), value);
        number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong).map(Some)
    }

    /// A text. Parameters identify a timer in an index, whose entries are small.
    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>, Fault> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let text = value.as_str().filter(|text| text.len() <= LONGEST);
        text.ok_or_else(|| wrong(key, &format!("a text of at most {LONGEST} bytes"), value)).map(Some)
    }

    pub(super) fn required_text(self, key: &str) -> Result<&'a str, Fault> {
        self.text(key)?.ok_or_else(|| Fault::new(key, "is missing"))
    }
}

fn whole(value: &Value) -> Option<u32> {
    let number = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and within 32 bits"
    )]
    Some(number as u32)
}

fn wrong(key: &str, expected: &str, found: &Value) -> Fault {
    Fault::new(key, format!("must be {expected}, not {}", quote(&found.to_string())))
}

/// The beginning of a text, for a message.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
