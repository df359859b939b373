//! A warm host: a program that loads code once and answers many polls and runs; `execution.host`, typed.

use serde_json::Value;

use super::fault::{ExecutionFault, wrong_type};
use super::reader::Reader;

const KEYS: &[&str] = &["args", "modules", "polls"];
/// Few enough that what leaks does not add up, many enough that starting anew and loading everybody's code again costs
/// nothing, also where a host takes thousands of polls a second.
const POLLS: u64 = 100_000;
/// The most that either number may be.
const MOST: u64 = 1_000_000_000;

/// The host program of a runtime; argv = binary, args, modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Arguments after the binary, as those of a run.
    pub args: Vec<String>,
    /// How many modules a host is told to keep loaded.
    pub modules: Option<u64>,
    /// After so many polls or runs a host is replaced.
    pub polls: u64,
}

impl Host {
    pub(super) fn parse(at: &str, value: &Value) -> Result<Self, ExecutionFault> {
        let reader = Reader::open(at.to_owned(), value, KEYS)?;
        let args = reader.texts("args")?;
        if args.is_empty() {
            return Err(wrong_type(&reader.at("args"), "a list of texts that is not empty"));
        }
        Ok(Self {
            args,
            modules: count(&reader, "modules")?,
            polls: count(&reader, "polls")?.unwrap_or(POLLS),
        })
    }
}

fn count(reader: &Reader<'_>, key: &str) -> Result<Option<u64>, ExecutionFault> {
    let Some(value) = reader.get(key) else { return Ok(None) };
    let count = value.as_u64().filter(|count| (1..=MOST).contains(count));
    count.map(Some).ok_or_else(|| wrong_type(&reader.at(key), "a whole number of at least 1"))
}
