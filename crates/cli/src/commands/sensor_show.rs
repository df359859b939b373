//! `attune sensor show`: the row, and below it how the sensor fares: its clocks beside what is expected of them, what it takes,
//! and its last ticks.

use std::time::Duration;

use attune_core::sensor_status::in_words;
use serde_json::{Value, json};

use super::noun::{Noun, Show};
use super::used;
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::output::{self, Column};

/// What is shown below the row, and not in it.
const BELOW: [&str; 8] =
    ["ticks", "last_tick", "last_contact", "last_event", "tick_age", "contact_age", "event_age", used::FIELD];

const CLOCKS: &[Column] =
    &[("CLOCK", "clock"), ("LAST", "last"), ("AGO", "ago"), ("EXPECTED EACH", "expected")];
const TICKS: &[Column] = &[
    ("TICK", "at"),
    ("TOOK MS", "took_ms"),
    ("LATE MS", "late_ms"),
    ("EVENTS", "events"),
    ("ERROR", "error"),
];

pub(crate) fn run(global: &Global, show: &Show) -> anyhow::Result<()> {
    let sensor = used::find(&Client::new(global)?, Noun::Sensor, show)?;
    match global.output {
        Format::Json => output::json(&sensor),
        Format::Table => output::text(&page(&sensor)),
    }
}

fn page(sensor: &Value) -> String {
    let mut row = sensor.clone();
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|field, _| !BELOW.contains(&field.as_str()));
    }
    let ticks = sensor["ticks"].as_array().map_or(&[][..], Vec::as_slice);
    let clocks = output::table(CLOCKS, &clocks(sensor));
    [output::fields(&row), clocks, used::block(sensor), output::table(TICKS, ticks)].join("\n\n")
}

fn clocks(sensor: &Value) -> [Value; 3] {
    let expected = |clock: &str| match clock {
        // A stream ticks when it likes.
        "tick" if sensor["mode"] == "poll" => {
            sensor["poll_interval"].as_f64().map(|s| json!(format!("{s} s")))
        }
        clock => sensor["expect"].get(clock).cloned(),
    };
    ["tick", "contact", "event"].map(|clock| {
        json!({
            "clock": clock,
            "last": sensor[format!("last_{clock}")],
            "ago": sensor[format!("{clock}_age")].as_f64().map(ago),
            "expected": expected(clock),
        })
    })
}

/// By a clock that was set back it may lie in the future.
fn ago(seconds: f64) -> String {
    in_words(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_stand_beside_what_is_expected_of_them() {
        let sensor = json!({
            "ref": "demo.s", "mode": "poll", "poll_interval": 30.0, "status": "silent", "expect": {"event": "10m"},
            "last_tick": "2026-01-31T09:00:00.123Z", "tick_age": 7.25, "last_event": "2026-01-31T08:40:00.000Z",
            "event_age": 1207.4, "last_contact": null, "contact_age": null,
            "usage": {
                "last_hour": {"runs": 120, "failed": 2, "cpu_ms": 480.5, "cpu_ms_per_run": 4.004, "wall_ms_per_run": 5.125,
                              "longest_ms": 90.25, "output_bytes": 6120, "events": 3, "peak_memory_bytes": 31_457_280},
                "last_day": {"runs": 2880, "failed": 2, "cpu_ms": null, "cpu_ms_per_run": null, "wall_ms_per_run": 5.0,
                             "longest_ms": 240.0, "output_bytes": 146_880, "events": 41, "peak_memory_bytes": null},
            },
            "ticks": [{"at": "2026-01-31T09:00:00.123Z", "took_ms": 4, "late_ms": 0, "events": 0, "error": null}],
        });
        insta::assert_snapshot!(page(&sensor));
    }
}
