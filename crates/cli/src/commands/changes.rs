//! A changed field as a person compares it.

use serde_json::Value;

use crate::output;

/// Longer values stand one below the other.
const SHORT: usize = 40;

/// `field: old -> new`, indented; on lines of their own when they are long.
pub(crate) fn lines(field: &str, old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (output::whole(old), output::whole(new));
    if old.chars().count() <= SHORT && new.chars().count() <= SHORT {
        return vec![format!("    {field}: {old} -> {new}")];
    }
    vec![format!("    {field}:"), format!("      - {old}"), format!("      + {new}")]
}
