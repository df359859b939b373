//! What a load did or would do, in a few lines.

use serde_json::Value;

use super::changes;
use crate::output;

/// After a load.
pub(crate) fn summary(report: &Value) -> String {
    let mut lines = vec![format!("{} {} is loaded", text(report, "pack"), text(report, "version"))];
    lines.extend(details(report));
    lines.join("\n")
}

/// Before one.
pub(crate) fn difference(report: &Value) -> String {
    let what = format!("{} {}", text(report, "pack"), text(report, "version"));
    let mut lines = if changes_something(report) {
        vec![format!("loading {what} would change this:")]
    } else {
        vec![format!("loading {what} would change nothing")]
    };
    lines.extend(details(report));
    lines.extend(
        items(report, "files").map(|file| format!("  file {}: {}", text(file, "change"), text(file, "path"))),
    );
    lines.join("\n")
}

/// Whether a load would find anything to do.
pub(crate) fn changes_something(report: &Value) -> bool {
    ["created", "updated", "disabled"].iter().any(|name| items(report, name).next().is_some())
}

fn details(report: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for name in ["created", "updated", "disabled", "left_runtimes"] {
        let refs: Vec<_> = items(report, name).filter_map(Value::as_str).collect();
        if !refs.is_empty() {
            lines.push(format!("  {}: {}", name.replace('_', " "), refs.join(", ")));
        }
    }
    for change in items(report, "changes") {
        let field = format!("{} {}", text(change, "ref"), text(change, "field"));
        lines.extend(changes::lines(&field, &change["old"], &change["new"]));
    }
    for kept in items(report, "kept") {
        lines.push(format!(
            "  kept: {} of {}, changed here since the last load",
            text(kept, "field"),
            text(kept, "ref")
        ));
        lines.push(format!("      here: {}", output::whole(&kept["here"])));
        lines.push(format!("      pack: {}", output::whole(&kept["pack"])));
    }
    lines
}

fn items<'a>(report: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    report[name].as_array().into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
