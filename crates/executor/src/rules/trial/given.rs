//! An event as somebody wrote it down: whole, as a row, or its payload alone. Its shape says which.

use attune_core::event::EventView;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// Everything that an event, or its row, may have.
const FIELDS: [&str; 15] = [
    "id",
    "trigger",
    "trigger_ref",
    "trigger_params",
    "sensor",
    "sensor_ref",
    "sensor_config",
    "source",
    "key",
    "payload",
    "pack_digest",
    "created",
    "caused_by",
    "depth",
    "root",
];

/// A whole event. A row has refs beside its ids.
#[derive(Debug, Deserialize)]
struct Whole {
    #[serde(default)]
    id: i64,
    trigger: Option<Value>,
    trigger_ref: Option<String>,
    trigger_params: Option<Value>,
    sensor: Option<Value>,
    sensor_ref: Option<String>,
    source: Option<String>,
    key: Option<String>,
    payload: Value,
    created: Option<DateTime<Utc>>,
}

/// Reads an event. What it does not say is as the rule has it: its trigger and, for a payload alone, its trigger's
/// parameters.
pub(super) fn read(
    given: Value,
    trigger: &str,
    trigger_params: &Value,
    now: DateTime<Utc>,
) -> Result<EventView, String> {
    let whole = if is_whole(&given) {
        serde_json::from_value(given).map_err(|error| format!("the event can not be read: {error}"))?
    } else if given.is_object() {
        alone(given, trigger_params)
    } else {
        return Err("the event is no JSON object".to_owned());
    };
    Ok(EventView {
        id: whole.id,
        trigger: name(whole.trigger_ref, whole.trigger).unwrap_or_else(|| trigger.to_owned()),
        sensor: name(whole.sensor_ref, whole.sensor),
        source: whole.source,
        key: whole.key,
        payload: whole.payload,
        trigger_params: whole.trigger_params.filter(|params| !params.is_null()),
        created: whole.created.unwrap_or(now),
    })
}

/// An object with an object `payload` and nothing that events do not have.
fn is_whole(given: &Value) -> bool {
    given["payload"].is_object()
        && given.as_object().is_some_and(|event| event.keys().all(|key| FIELDS.contains(&key.as_str())))
}

fn alone(payload: Value, trigger_params: &Value) -> Whole {
    Whole {
        id: 0,
        trigger: None,
        trigger_ref: None,
        trigger_params: Some(trigger_params.clone()),
        sensor: None,
        sensor_ref: None,
        source: None,
        key: None,
        payload,
        created: None,
    }
}

fn name(by_ref: Option<String>, plain: Option<Value>) -> Option<String> {
    by_ref.or_else(|| plain?.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_it(given: Value) -> Result<EventView, String> {
        read(given, "shop.order", &json!({"depth": 1}), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_payload_is_for_the_rule_that_is_asked() {
        for payload in [json!({"total": 7}), json!({"payload": {}, "total": 7}), json!({"payload": 1})] {
            let event = read_it(payload.clone()).unwrap();
            assert_eq!((event.trigger.as_str(), &event.payload), ("shop.order", &payload));
            assert_eq!(event.trigger_params, Some(json!({"depth": 1})));
        }
    }

    #[test]
    fn a_whole_event_speaks_for_itself() {
        let event = read_it(json!({"payload": {"total": 7}})).unwrap();
        assert_eq!((event.payload, event.trigger_params), (json!({"total": 7}), None));
        let row = json!({"id": 3, "trigger": 12, "trigger_ref": "shop.other", "sensor": 4, "sensor_ref": "shop.till",
            "trigger_params": null, "payload": {}, "created": "2026-01-31T10:00:00.123Z", "key": "k", "pack_digest": "d",
            "caused_by": null, "depth": 0, "root": null});
        let event = read_it(row).unwrap();
        assert_eq!(
            (event.id, event.trigger.as_str(), event.sensor.as_deref()),
            (3, "shop.other", Some("shop.till"))
        );
        assert_eq!(event.created_text(), "2026-01-31T10:00:00.123Z");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        assert_eq!(read_it(json!([1])).unwrap_err(), "the event is no JSON object");
        assert!(
            read_it(json!({"payload": {}, "key": 7})).unwrap_err().starts_with("the event can not be read: ")
        );
    }
}
