//! What the walk notes of each key: what it means, what it may be, what it is here and who said so.
//!
//! The reference in docs, `attune config show` and the configuration itself come from the same walk, so a key has one
//! name, one default and one sentence.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::env;
use super::error::{Fault, Origin};

/// Everything that one walk over the configuration saw.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Each section's key and its sentence, in the order of the walk.
    pub sections: Vec<(&'static str, &'static str)>,
    /// Each key, in the order of the walk.
    pub settings: Vec<Setting>,
    /// What is wrong, files before the environment.
    pub faults: Vec<Fault>,
}

/// One key of the configuration.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// The dotted key.
    pub key: String,
    /// What it holds here; `null` when nothing does. Without its password, should it have one.
    pub value: Value,
    /// Who said so; `null` stands for the default.
    pub origin: Option<Origin>,
    /// What it holds when nobody says anything.
    pub default: Value,
    /// The environment variable that sets it.
    pub variable: String,
    /// What may be said, in words.
    pub expected: String,
    /// What it means, in a sentence.
    pub about: &'static str,
}

impl Setting {
    /// The environment variable that sets this key.
    pub(super) fn variable_of(key: &str) -> String {
        format!("{}{}", env::PREFIX, key.replace('.', env::SEPARATOR).to_uppercase())
    }
}

/// A value as it may be shown to anybody.
pub(super) trait Shown {
    fn shown(&self) -> Value;
}

impl Shown for Duration {
    /// In seconds, as it is written.
    fn shown(&self) -> Value {
        if self.subsec_nanos() == 0 { json!(self.as_secs()) } else { json!(self.as_secs_f64()) }
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> Value {
        json!(self.to_string_lossy())
    }
}

macro_rules! shown_as_they_are {
    ($($type:ty),+) => {
        $(impl Shown for $type {
            fn shown(&self) -> Value {
                json!(self)
            }
        })+
    };
}
shown_as_they_are!(bool, u16, u32, u64, String);
