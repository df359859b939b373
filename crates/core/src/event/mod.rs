//! An event as conditions and templates see it: the row that is about to be stored, with refs instead of ids.
//!
//! Ingest builds one of these before its transaction begins (the id comes from a block of the sequence, `created` is
//! stamped once), so that the row, the condition and the template all see the same values.

mod field;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use field::{Field, Found};

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventView {
    /// The id of its row.
    pub id: i64,
    /// The ref of its trigger.
    pub trigger: String,
    /// The ref of the sensor that saw it; posted events have none.
    pub sensor: Option<String>,
    /// What the poster called itself.
    pub source: Option<String>,
    /// The key by which a second one is recognised.
    pub key: Option<String>,
    /// The object as the sensor gave it.
    pub payload: Value,
    /// The parameters that its trigger was asked with.
    pub trigger_params: Option<Value>,
    /// When ingest took it in: RFC 3339, UTC, milliseconds.
    #[serde(serialize_with = "as_milliseconds")]
    pub created: DateTime<Utc>,
}

impl EventView {
    /// `created` as it stands on the wire and in conditions.
    pub fn created_text(&self) -> String {
        self.created.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

fn as_milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// An event for tests of everything that reads events.
    pub(crate) fn event(payload: Value) -> EventView {
        EventView {
            id: 7,
            trigger: "demo.cpu_high".into(),
            sensor: Some("demo.cpu".into()),
            source: None,
            key: None,
            payload,
            trigger_params: Some(json!({"period": 5})),
            created: DateTime::from_timestamp(1_770_000_000, 123_456_789).unwrap(),
        }
    }

    #[test]
    fn serialises_as_the_document_promises() {
        assert_eq!(
            serde_json::to_value(event(json!({"a": 1}))).unwrap(),
            json!({"id": 7, "trigger": "demo.cpu_high", "sensor": "demo.cpu", "source": null, "key": null,
                "payload": {"a": 1}, "trigger_params": {"period": 5}, "created": "2026-02-02T02:40:00.123Z"})
        );
    }
}
