//! What a sensor or an action took in the last hour and the last day, below its row.

use serde_json::{Value, json};

use super::noun::{self, Noun, Show, path_segment};
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::output::{self, Column};

/// The field of it.
pub(super) const FIELD: &str = "usage";

const FIGURES: &[Column] = &[
    ("USED", "period"),
    ("RUNS", "runs"),
    ("FAILED", "failed"),
    ("CPU MS", "cpu_ms"),
    ("CPU MS/RUN", "cpu_ms_per_run"),
    ("MS/RUN", "wall_ms_per_run"),
    ("LONGEST MS", "longest_ms"),
    ("PEAK MEMORY MB", "peak_memory_mb"),
    ("OUTPUT BYTES", "output_bytes"),
    ("EVENTS", "events"),
];

/// Shows an action.
pub(super) fn show_action(global: &Global, show: &Show) -> anyhow::Result<()> {
    let action = find(&Client::new(global)?, Noun::Action, show)?;
    match global.output {
        Format::Json => output::json(&action),
        Format::Table => output::text(&[row(&action), block(&action)].join("\n\n")),
    }
}

/// The one that is asked for, with what it took.
pub(super) fn find(client: &Client, noun: Noun, show: &Show) -> anyhow::Result<Value> {
    let mut thing = noun::find(client, noun, show)?;
    let id = path_segment(&thing["id"].to_string());
    thing[FIELD] = client.get(&format!("/api/{}s/{id}/usage", noun.name()), &[])?;
    Ok(thing)
}

fn row(thing: &Value) -> String {
    let mut row = thing.clone();
    if let Some(fields) = row.as_object_mut() {
        fields.remove(FIELD);
    }
    output::fields(&row)
}

/// As it stands below the row.
pub(super) fn block(thing: &Value) -> String {
    let rows = [("last hour", "last_hour"), ("last day", "last_day")].map(|(words, period)| {
        let mut figures = thing[FIELD][period].clone();
        figures["period"] = words.into();
        figures["peak_memory_mb"] = figures["peak_memory_bytes"].as_f64().map(megabytes).into();
        figures
    });
    output::table(FIGURES, &rows)
}

fn megabytes(bytes: f64) -> Value {
    json!((bytes / 1e5).round() / 10.0)
}
