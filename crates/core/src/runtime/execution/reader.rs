//! Reads the keys of one object of the row. What can not be handed to a program is refused here already.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fault::{ExecutionFault, wrong_type};

pub(super) const MAX_ITEMS: usize = 64;
pub(super) const MAX_LENGTH: usize = 4096;
/// The longest time that a key may give.
const LONGEST: f64 = 24.0 * 3600.0;

/// An object and where it stands; empty for the whole.
pub(super) struct Reader<'a> {
    at: String,
    keys: &'a Map<String, Value>,
}

impl<'a> Reader<'a> {
    /// Opens an object that has no other keys than `known`.
    pub(super) fn open(
        at: String,
        value: &'a Value,
        known: &'static [&'static str],
    ) -> Result<Self, ExecutionFault> {
        let whole = if at.is_empty() { "execution" } else { &at };
        let keys = value.as_object().ok_or_else(|| wrong_type(whole, "an object"))?;
        let reader = Self { at, keys };
        match keys.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(ExecutionFault::UnknownKey { at: reader.at(key), known }),
            None => Ok(reader),
        }
    }

    /// The path of a key.
    pub(super) fn at(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// The value of a key; null counts as left out.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ExecutionFault> {
        self.get(key).map(|value| text(&self.at(key), value)).transpose()
    }

    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ExecutionFault> {
        self.get(key).map_or_else(|| Ok(Vec::new()), |value| texts(&self.at(key), value))
    }

    /// A list of texts, or one text by itself.
    pub(super) fn one_or_more(&self, key: &str) -> Result<Vec<String>, ExecutionFault> {
        match self.get(key) {
            Some(Value::String(_)) => Ok(self.text(key)?.into_iter().collect()),
            _ => self.texts(key),
        }
    }

    /// A list of anything, each item with its path.
    pub(super) fn items(&self, key: &str) -> Result<Vec<(String, &'a Value)>, ExecutionFault> {
        self.get(key).map_or_else(|| Ok(Vec::new()), |value| items(&self.at(key), value, "a list"))
    }

    /// Texts by name.
    pub(super) fn entries(&self, key: &str) -> Result<Vec<(String, String)>, ExecutionFault> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let at = self.at(key);
        let entries = value.as_object().ok_or_else(|| wrong_type(&at, "an object of texts"))?;
        if entries.len() > MAX_ITEMS {
            return Err(ExecutionFault::TooMany { at });
        }
        let entry =
            |(name, value): (&String, &Value)| Ok((name.clone(), text(&format!("{at}.{name}"), value)?));
        entries.iter().map(entry).collect()
    }

    /// Environment variables and their values.
    pub(super) fn settings(&self, key: &str) -> Result<Vec<(String, String)>, ExecutionFault> {
        let entries = self.entries(key)?;
        match entries.iter().find(|(name, _)| !is_variable(name)) {
            Some((name, _)) => {
                let at = format!("{}.{name}", self.at(key));
                Err(ExecutionFault::NotAVariable { at, variable: name.clone() })
            }
            None => Ok(entries),
        }
    }

    /// A time in seconds.
    pub(super) fn seconds(&self, key: &str, default: Duration) -> Result<Duration, ExecutionFault> {
        let Some(value) = self.get(key) else { return Ok(default) };
        let seconds = value.as_f64().filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST);
        let seconds = seconds
            .ok_or_else(|| wrong_type(&self.at(key), "a number of seconds above 0 and of a day at most"))?;
        Ok(Duration::from_secs_f64(seconds))
    }

    /// A size in bytes.
    pub(super) fn bytes(&self, key: &str, default: u64) -> Result<u64, ExecutionFault> {
        let Some(value) = self.get(key) else { return Ok(default) };
        let bytes = value.as_u64().filter(|bytes| *bytes > 0);
        bytes.ok_or_else(|| wrong_type(&self.at(key), "a whole number of bytes above 0"))
    }

    /// Names of environment variables.
    pub(super) fn variables(&self, key: &str) -> Result<Vec<String>, ExecutionFault> {
        let names = self.texts(key)?;
        match names.iter().find(|name| !is_variable(name)) {
            Some(bad) => Err(ExecutionFault::NotAVariable { at: self.at(key), variable: bad.clone() }),
            None => Ok(names),
        }
    }
}

/// Whether an environment can have a variable of this name.
pub(super) fn is_variable(name: &str) -> bool {
    name.len() <= MAX_LENGTH
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub(super) fn texts(at: &str, value: &Value) -> Result<Vec<String>, ExecutionFault> {
    items(at, value, "a list of texts")?.into_iter().map(|(at, item)| text(&at, item)).collect()
}

fn items<'a>(
    at: &str,
    value: &'a Value,
    expected: &'static str,
) -> Result<Vec<(String, &'a Value)>, ExecutionFault> {
    let items = value.as_array().ok_or_else(|| wrong_type(at, expected))?;
    if items.len() > MAX_ITEMS {
        return Err(ExecutionFault::TooMany { at: at.into() });
    }
    Ok(items.iter().enumerate().map(|(i, item)| (format!("{at}[{i}]"), item)).collect())
}

fn text(at: &str, value: &Value) -> Result<String, ExecutionFault> {
    let text = value.as_str().ok_or_else(|| wrong_type(at, "a text"))?;
    if text.contains('\0') {
        Err(ExecutionFault::Nul { at: at.into() })
    } else if text.len() > MAX_LENGTH {
        Err(ExecutionFault::TooLong { at: at.into() })
    } else {
        Ok(text.to_owned())
    }
}
