//! What a detection leads to: the worker's capabilities, and the rows that it may take work for.

use std::collections::HashMap;
use std::path::PathBuf;

use attune_core::names;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::verdict::{Verdict, Version};
use crate::models::Runtime;

/// The capability that names the runtimes.
pub(super) const RUNTIMES: &str = "runtimes";
/// The capability that says more about each, by ref.
pub(super) const RUNTIME_DETAILS: &str = "runtime_details";
/// The capability that says which versions were found and are of no use, by ref; absent when there are none.
pub(super) const RUNTIMES_REFUSED: &str = "runtimes_refused";

/// Who was asked for the runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// The environment variable.
    Environment,
    /// The configuration.
    Configuration,
    /// The database, with every row verified.
    Database,
}

/// What this machine can run.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    /// Who said so.
    pub tier: Tier,
    /// What the worker reports: `runtimes`, `runtime_details` after verification, and the configuration's own keys.
    pub capabilities: HashMap<String, Value>,
    /// The names in `capabilities.runtimes`.
    pub names: Vec<String>,
    /// The verified rows, ordered by ref; empty when the names were given by hand.
    pub runtimes: Vec<DetectedRuntime>,
    /// Whether to look again soon, because a command was killed while it ran.
    pub in_doubt: bool,
}

/// A row that this machine can take work for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedRuntime {
    /// Its key.
    pub id: i64,
    /// Its dotted name.
    pub r#ref: String,
    /// The binary that verification found.
    pub binary: Option<PathBuf>,
    /// The version that verification found.
    pub version: Option<String>,
    /// Every version that verification found.
    pub versions: Vec<Version>,
}

impl Detected {
    /// Names given by hand, which nobody verified.
    pub(super) fn by_hand(tier: Tier, names: Vec<String>, given: Option<&HashMap<String, Value>>) -> Self {
        let mut capabilities = given.cloned().unwrap_or_default();
        capabilities.insert(RUNTIMES.to_owned(), json!(names));
        Self { tier, capabilities, names, runtimes: Vec::new(), in_doubt: false }
    }

    /// Runtimes that were verified; those that are not available are left out.
    pub(super) fn verified(verdicts: &[(Runtime, Verdict)], given: Option<&HashMap<String, Value>>) -> Self {
        let available: Vec<_> = verdicts.iter().filter(|(_, verdict)| verdict.available).collect();
        let names = available_names(verdicts);
        let details: serde_json::Map<String, Value> = available
            .iter()
            .map(|(runtime, verdict)| (runtime.r#ref.clone(), details(runtime, verdict)))
            .collect();
        let mut capabilities = given.cloned().unwrap_or_default();
        capabilities.insert(RUNTIMES.to_owned(), json!(names));
        capabilities.insert(RUNTIME_DETAILS.to_owned(), Value::Object(details));
        let refused = refused(verdicts);
        if !refused.is_empty() {
            capabilities.insert(RUNTIMES_REFUSED.to_owned(), Value::Object(refused));
        }
        let runtimes =
            available.iter().map(|(runtime, verdict)| DetectedRuntime::new(runtime, verdict)).collect();
        let in_doubt = verdicts.iter().any(|(_, verdict)| verdict.is_in_doubt());
        Self { tier: Tier::Database, capabilities, names, runtimes, in_doubt }
    }
}

impl DetectedRuntime {
    fn new(runtime: &Runtime, verdict: &Verdict) -> Self {
        Self {
            id: runtime.id,
            r#ref: runtime.r#ref.clone(),
            binary: verdict.binary.clone(),
            version: verdict.version.clone(),
            versions: verdict.versions.clone(),
        }
    }

    /// A row that a name means; nothing is known of its binary.
    pub(super) fn named(runtime: &Runtime) -> Self {
        Self {
            id: runtime.id,
            r#ref: runtime.r#ref.clone(),
            binary: None,
            version: None,
            versions: Vec::new(),
        }
    }
}

/// The lower-cased names of what is available.
pub(super) fn available_names(verdicts: &[(Runtime, Verdict)]) -> Vec<String> {
    let available = verdicts.iter().filter(|(_, verdict)| verdict.available);
    available.map(|(runtime, _)| runtime.name.to_lowercase()).collect()
}

/// What was found, and is too old.
fn refused(verdicts: &[(Runtime, Verdict)]) -> serde_json::Map<String, Value> {
    let refused = verdicts.iter().filter(|(_, verdict)| !verdict.available && verdict.version.is_some());
    let say = |verdict: &Verdict| json!({"version": verdict.version, "reason": verdict.reason});
    refused.map(|(runtime, verdict)| (runtime.r#ref.clone(), say(verdict))).collect()
}

fn details(runtime: &Runtime, verdict: &Verdict) -> Value {
    json!({
        "name": runtime.name,
        "version": verdict.version,
        "binary": verdict.binary.as_ref().map(|binary| binary.to_string_lossy()),
        "versions": verdict.versions,
        "verified_at": verdict.verified_at.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

/// The names that the configuration gives; none of them is as good as no list.
pub(super) fn configured_names(given: Option<&HashMap<String, Value>>) -> Option<Vec<String>> {
    let names = match given?.get(RUNTIMES)? {
        Value::Array(names) => names::normalise(names.iter().filter_map(Value::as_str)),
        Value::String(list) => names::normalise(list.split(',')),
        _ => return None,
    };
    (!names.is_empty()).then_some(names)
}
