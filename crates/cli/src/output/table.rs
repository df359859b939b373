//! Aligned columns without lines, which are easy to read and to cut.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::cell;

/// A column of a table: its heading and the field it shows.
pub(crate) type Column = (&'static str, &'static str);

pub(super) fn render(columns: &[Column], rows: &[Value]) -> String {
    if rows.is_empty() {
        return "none".to_owned();
    }
    let mut table = plain();
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    for row in rows {
        table.add_row(columns.iter().map(|(_, field)| cell::short(&row[*field])));
    }
    trimmed(&table)
}

pub(super) fn render_object(value: &Value) -> String {
    let mut table = plain();
    for (field, value) in value.as_object().into_iter().flatten() {
        table.add_row([field.clone(), cell::long(value)]);
    }
    trimmed(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Every line without the padding at its end.
fn trimmed(table: &Table) -> String {
    let lines: Vec<_> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
