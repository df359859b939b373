//! One thing that was looked at.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What.
    pub check: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was seen, or what is wrong with it.
    pub detail: String,
}

impl Check {
    pub(super) fn new(check: &'static str, seen: Result<String, String>) -> Self {
        let ok = seen.is_ok();
        Self { check, ok, detail: seen.unwrap_or_else(|wrong| wrong) }
    }
}

/// `1 event`, `2 events`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
