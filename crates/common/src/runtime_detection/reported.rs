//! What a worker's capabilities say of one runtime, for whoever did not detect it himself.

use attune_core::names::Called;
use serde_json::Value;

use super::capabilities::{RUNTIME_DETAILS, RUNTIMES, RUNTIMES_REFUSED};
use crate::models::Runtime;

/// A runtime that a worker says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported<'a> {
    /// The version that its verification found; nothing is known of what was given by hand.
    pub version: Option<&'a str>,
}

/// Whether a worker has the runtime. What it verified, it reports by ref; what it was given by hand, by whatever name.
pub fn reported<'a>(capabilities: Option<&'a Value>, runtime: &Runtime) -> Option<Reported<'a>> {
    let capabilities = capabilities?;
    if let Some(details) = capabilities.get(RUNTIME_DETAILS).and_then(Value::as_object) {
        let details = details.get(&runtime.r#ref)?;
        return Some(Reported { version: details.get("version").and_then(Value::as_str) });
    }
    let called = Called { name: &runtime.name, r#ref: &runtime.r#ref, aliases: &runtime.aliases };
    let mut names = capabilities.get(RUNTIMES)?.as_array()?.iter().filter_map(Value::as_str);
    names.any(|name| called.answers_to(name)).then_some(Reported { version: None })
}

/// The version of a runtime that a worker found and can not use.
pub fn refused_version<'a>(capabilities: Option<&'a Value>, runtime: &Runtime) -> Option<&'a str> {
    capabilities?.get(RUNTIMES_REFUSED)?.get(&runtime.r#ref)?.get("version")?.as_str()
}
