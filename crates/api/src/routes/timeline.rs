//! The last ticks of a sensor, with names for their parts.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::view::Row;

/// The column.
const TICKS: &str = "ticks";
/// What the parts are, after the first, which is the time.
const PARTS: [&str; 4] = ["took_ms", "late_ms", "events", "error"];

/// `[1769850000123, 4, 0, 1]` becomes `{"at": "2026-…", "took_ms": 4, "late_ms": 0, "events": 1, "error": null}`. The column
/// is public, so it may hold anything: what is no tick is left out.
pub(super) fn name_parts(row: &mut Row) {
    if let Some(Value::Array(ticks)) = row.get(TICKS) {
        let named = ticks.iter().filter_map(|tick| named(tick.as_array()?)).collect();
        row.insert(TICKS.to_owned(), Value::Array(named));
    }
}

fn named(tick: &[Value]) -> Option<Value> {
    let at = DateTime::from_timestamp_millis(tick.first()?.as_i64()?)?;
    let mut named = json!({"at": at.to_rfc3339_opts(SecondsFormat::Millis, true)});
    for (at, part) in PARTS.into_iter().enumerate() {
        named[part] = tick.get(at + 1).cloned().unwrap_or_default();
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names_and_what_is_no_tick_is_left_out() {
        let ticks =
            json!([[1_769_850_000_123_i64, 4, 0, 1], [0, 9, 2, 0, "it broke"], "x", [], ["y"], [i64::MAX]]);
        let mut row = Row::from_iter([(TICKS.to_owned(), ticks)]);
        name_parts(&mut row);
        assert_eq!(
            row[TICKS],
            json!([
                {"at": "2026-01-31T09:00:00.123Z", "took_ms": 4, "late_ms": 0, "events": 1, "error": null},
                {"at": "1970-01-01T00:00:00.000Z", "took_ms": 9, "late_ms": 2, "events": 0, "error": "it broke"},
            ])
        );
    }
}
