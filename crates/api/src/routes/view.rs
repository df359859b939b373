//! How rows look from outside: secrets masked, timestamps in one form.

use attune_common::repositories::listing::Noun;
use attune_core::schema::Schema;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

/// Columns that hold a time; the others may hold text that only looks like one.
const TIMES: [&str; 10] = [
    "created",
    "updated",
    "started",
    "finished",
    "not_before",
    "last_heartbeat",
    "lease_until",
    "next_try",
    "last_tick",
    "last_event",
];

/// The row as it may be shown.
pub(super) fn of_row(noun: Noun, row: Value) -> Value {
    let Value::Object(mut row) = row else { return row };
    match noun {
        Noun::Sensor => mask(&mut row, "config", "param_schema"),
        Noun::Pack => mask(&mut row, "config", "config_schema"),
        _ => {}
    }
    for column in TIMES {
        if let Some(time) = row.get_mut(column) {
            in_milliseconds(time);
        }
    }
    Value::Object(row)
}

/// Hides what the schema calls secret, and everything when the schema is none.
fn mask(row: &mut Map<String, Value>, column: &str, schema: &str) {
    let masked = match (row.get(column), row.get(schema).map(Schema::compile)) {
        (Some(value), Some(Ok(schema))) => schema.mask(value),
        _ => Value::from("***"),
    };
    row.insert(column.to_owned(), masked);
}

/// RFC 3339, UTC, milliseconds.
fn in_milliseconds(value: &mut Value) {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    if let Some(time) = time {
        *value = Value::from(time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Millis, true));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_without_a_usable_schema_everything_is() {
        let schema = json!({"properties": {"key": {"type": "string", "secret": true}}});
        let shown = |schema: Value| {
            of_row(Noun::Sensor, json!({"config": {"key": "k", "url": "u"}, "param_schema": schema}))
        };
        assert_eq!(shown(schema)["config"], json!({"key": "***", "url": "u"}));
        assert_eq!(shown(json!({"type": "nonsense"}))["config"], json!("***"));
    }

    #[test]
    fn times_have_milliseconds_and_text_stays_text() {
        let row = json!({"created": "2026-01-31T10:00:00.123456+00:00", "updated": null, "key": "2026-01-31T10:00:00.123456+00:00"});
        let shown = of_row(Noun::Event, row);
        assert_eq!(shown["created"], "2026-01-31T10:00:00.123Z");
        assert_eq!(
            (&shown["updated"], &shown["key"]),
            (&json!(null), &json!("2026-01-31T10:00:00.123456+00:00"))
        );
    }
}
