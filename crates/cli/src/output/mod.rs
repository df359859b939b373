//! How answers look. Data goes to stdout, everything else to stderr, and nothing to either but through here.

mod cell;
mod table;
mod terminal;

use std::io::Write as _;

use attune_core::printable::is_turning;
use serde_json::Value;

use crate::arguments::Format;

pub(crate) use attune_core::printable::printable;
pub(crate) use table::Column;

/// Prints a list.
pub(crate) fn list(format: Format, columns: &[Column], rows: &Value) -> anyhow::Result<()> {
    match format {
        Format::Json => json(rows),
        Format::Table => text(&table(columns, rows.as_array().map_or(&[], Vec::as_slice))),
    }
}

/// Prints one thing with all its fields.
pub(crate) fn object(format: Format, value: &Value) -> anyhow::Result<()> {
    match format {
        Format::Json => json(value),
        Format::Table => text(&fields(value)),
    }
}

/// A list as a table.
pub(crate) fn table(columns: &[Column], rows: &[Value]) -> String {
    table::render(columns, rows)
}

/// One thing with all its fields, a line for each.
pub(crate) fn fields(value: &Value) -> String {
    table::render_object(value)
}

/// One value as it stands in a table.
pub(crate) fn value(value: &Value) -> String {
    cell::short(value)
}

/// A value as it is compared: text in quotes, so that it shows where it ends, and nothing for a terminal to act on.
pub(crate) fn whole(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => cell::long(&Value::String(format!("{text:?}"))),
        other => cell::long(&Value::String(other.to_string())),
    }
}

/// Prints JSON.
pub(crate) fn json(value: &Value) -> anyhow::Result<()> {
    text(&serde_json::to_string_pretty(value)?)
}

/// Prints a line of text, or several.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    bytes(format!("{}\n", text.trim_end_matches('\n')).as_bytes())
}

/// Prints bytes: as they are, but on a terminal nothing that it would obey.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    Ok(terminal::write(std::io::stdout().lock(), bytes)?)
}

/// Prints lines that are coloured for a terminal, and in which the text of others was made printable.
pub(crate) fn coloured(lines: &str) -> anyhow::Result<()> {
    let lines: String = lines.chars().map(|c| if is_turning(c) { '\u{fffd}' } else { c }).collect();
    let mut stdout = std::io::stdout().lock();
    Ok(stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush())?)
}

/// Tells the person who typed the command. Where stderr is closed there is none.
pub(crate) fn note(text: &str) {
    drop(terminal::write(std::io::stderr().lock(), format!("{text}\n").as_bytes()));
}
