//! A path into an event, resolved to a reference.
//!
//! The event is never turned into JSON for this: ingest tests every rule of a trigger against every event, and nearly all
//! of those tests read one field of the payload and fail.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::EventView;
use crate::path::{Path, PathError};

/// A parsed path whose first name is a field of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    text: Box<str>,
    root: Option<Root>,
    rest: Path,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Id,
    Trigger,
    Sensor,
    Source,
    Key,
    Payload,
    TriggerParams,
    Created,
}

/// What a field holds. A missing field is `null`.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// Part of the payload or of the trigger's parameters, or `null`.
    Json(&'a Value),
    /// The event's id.
    Integer(i64),
    /// A ref, key, source or time.
    Text(Cow<'a, str>),
}

impl Field {
    /// Parses a path such as `payload.items[0].name`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = Path::parse(text)?;
        let (first, rest) = path.split_first();
        Ok(Self { text: text.into(), root: first.and_then(Root::named), rest })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether events have a field of its first name. One that they lack is not wrong, but `null` for ever.
    pub fn is_known(&self) -> bool {
        self.root.is_some()
    }

    /// What the field holds in this event.
    pub fn of<'a>(&self, event: &'a EventView) -> Found<'a> {
        match self.root {
            Some(Root::Payload) => self.inside(Some(&event.payload)),
            Some(Root::TriggerParams) => self.inside(event.trigger_params.as_ref()),
            Some(root) if self.rest.is_empty() => root.scalar(event),
            _ => Found::NULL,
        }
    }

    /// The letter of a text that it leads to by an index, as templates have it.
    pub(crate) fn letter(&self, event: &EventView) -> Option<char> {
        match self.root? {
            Root::Payload => self.rest.letter(&event.payload),
            Root::TriggerParams => self.rest.letter(event.trigger_params.as_ref()?),
            root => self.rest.letter(&root.scalar(event).to_json()),
        }
    }

    fn inside<'a>(&self, value: Option<&'a Value>) -> Found<'a> {
        value.and_then(|value| self.rest.get(value)).map_or(Found::NULL, Found::Json)
    }
}

impl Root {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "trigger" => Self::Trigger,
            "sensor" => Self::Sensor,
            "source" => Self::Source,
            "key" => Self::Key,
            "payload" => Self::Payload,
            "trigger_params" => Self::TriggerParams,
            "created" => Self::Created,
            _ => return None,
        })
    }

    fn scalar(self, event: &EventView) -> Found<'_> {
        let text = match self {
            Self::Id => return Found::Integer(event.id),
            Self::Created => return Found::Text(Cow::Owned(event.created_text())),
            Self::Trigger => Some(&event.trigger),
            Self::Sensor => event.sensor.as_ref(),
            Self::Source => event.source.as_ref(),
            Self::Key => event.key.as_ref(),
            Self::Payload | Self::TriggerParams => None,
        };
        text.map_or(Found::NULL, |text| Found::Text(Cow::Borrowed(text)))
    }
}

impl Found<'_> {
    /// What a missing field holds.
    pub const NULL: Found<'static> = Found::Json(&Value::Null);

    /// Whether it is `null` or missing.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Json(Value::Null))
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Json(value) => value.as_str(),
            Self::Text(text) => Some(text),
            Self::Integer(_) => None,
        }
    }

    /// The number, when it is one.
    pub fn as_number(&self) -> Option<Cow<'_, Number>> {
        match self {
            Self::Json(value) => value.as_number().map(Cow::Borrowed),
            Self::Integer(integer) => Some(Cow::Owned(Number::from(*integer))),
            Self::Text(_) => None,
        }
    }

    /// A copy, as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Json(value) => (*value).clone(),
            Self::Integer(integer) => Value::from(*integer),
            Self::Text(text) => Value::from(text.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;
    use serde_json::json;

    #[test]
    fn agrees_with_a_path_into_the_event_as_json() {
        let event = event(json!({"items": [{"name": "a"}], "n": 1.5, "trigger": "x"}));
        let document = serde_json::to_value(&event).unwrap();
        for path in [
            "id",
            "trigger",
            "sensor",
            "source",
            "key",
            "payload",
            "trigger_params",
            "created",
            "payload.items[0].name",
            "payload.n",
            "trigger_params.period",
            "trigger.x",
            "id[0]",
            "nothing",
            "nothing.x",
            "payload.none",
            "[0]",
        ] {
            let expected = Path::parse(path).unwrap().get(&document).cloned().unwrap_or(Value::Null);
            assert_eq!(Field::parse(path).unwrap().of(&event).to_json(), expected, "{path}");
        }
    }

    #[test]
    fn knows_which_fields_events_have() {
        assert!(Field::parse("payload.x").unwrap().is_known());
        assert!(!Field::parse("cpu_percent").unwrap().is_known());
    }
}
