//! What a test of a pack expects, and how what came differs from it.
//!
//! Objects that are expected need only name the keys that matter; everything else is compared as conditions do it.

use serde_json::Value;

use super::fields::Fields;
use crate::conditions::{quoted, same};
use crate::path::{index_place, key_place};

/// What a poll has to give.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PollExpectation {
    /// Events, in order; without `at_least` there are these and no others.
    pub events: Option<Vec<Value>>,
    /// So many events or more, and all of `events` among them.
    pub at_least: Option<usize>,
    /// Part of what it remembers afterwards.
    pub state: Option<Value>,
    /// Part of the error with which it fails.
    pub error: Option<String>,
}

/// What a rule has to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleExpectation {
    /// Whether it fires.
    pub fires: bool,
    /// Part of the parameters that it gives to its action.
    pub params: Option<Value>,
}

impl PollExpectation {
    pub(super) const KEYS: &[&str] = &["events", "at_least", "state", "error"];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let expectation = Self {
            events: fields.objects("events"),
            at_least: fields.count("at_least"),
            state: fields.optional_object("state"),
            error: fields.text("error"),
        };
        let rest = Self { error: None, ..expectation.clone() };
        if expectation.error.is_some() && rest != Self::default() {
            fields.fault("error", "stands alone: a poll that fails gives neither events nor state");
        } else if expectation == Self::default() {
            fields.fault("", "expects nothing");
        }
        expectation
    }

    /// How a poll that gave this differs from what was expected.
    pub fn check(&self, polled: Result<(&[Value], &Value), &str>) -> Result<(), String> {
        match (polled, &self.error) {
            (Ok((events, state)), None) => {
                self.check_events(events)?;
                self.state.as_ref().map_or(Ok(()), |part| differs("state", part, state))
            }
            (Ok(_), Some(expected)) => Err(format!("it succeeded; the error {expected:?} was expected")),
            (Err(error), Some(expected)) if error.contains(expected) => Ok(()),
            (Err(error), Some(expected)) => {
                Err(format!("the error {expected:?} was expected, not {error:?}"))
            }
            (Err(error), None) => Err(error.to_owned()),
        }
    }

    fn check_events(&self, events: &[Value]) -> Result<(), String> {
        let expected = self.events.as_deref().unwrap_or_default();
        match (self.at_least, &self.events) {
            (Some(least), _) if events.len() < least => {
                Err(format!("at least {} expected, not {}", events_were(least), events.len()))
            }
            (Some(_), _) => expected.iter().try_for_each(|part| find(part, events)),
            (None, Some(_)) if events.len() != expected.len() => {
                Err(format!("{} expected, not {}", events_were(expected.len()), events.len()))
            }
            (None, _) => {
                let pairs = expected.iter().zip(events).enumerate();
                pairs
                    .into_iter()
                    .try_for_each(|(i, (part, event))| differs(&format!("events[{i}]"), part, event))
            }
        }
    }
}

impl RuleExpectation {
    pub(super) const KEYS: &[&str] = &["fires", "params"];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        if fields.get("fires").is_none() {
            fields.fault("fires", "is missing: true or false");
        }
        let expectation =
            Self { fires: fields.boolean("fires", false), params: fields.optional_object("params") };
        if expectation.params.is_some() && !expectation.fires {
            fields.fault("params", "needs `fires: true`");
        }
        expectation
    }

    /// How a rule that fired with these parameters, or did not for a reason, differs from what was expected.
    pub fn check(&self, fired: Result<&Value, &str>) -> Result<(), String> {
        match (fired, self.fires) {
            (Ok(params), true) => self.params.as_ref().map_or(Ok(()), |part| differs("params", part, params)),
            (Ok(_), false) => Err("it fires, and should not".to_owned()),
            (Err(reason), true) => Err(format!("it does not fire: {reason}")),
            (Err(_), false) => Ok(()),
        }
    }
}

fn events_were(count: usize) -> String {
    if count == 1 { "1 event was".to_owned() } else { format!("{count} events were") }
}

fn find(part: &Value, events: &[Value]) -> Result<(), String> {
    if events.iter().any(|event| differs("", part, event).is_ok()) {
        return Ok(());
    }
    Err(format!("no event has {}", quoted(part)))
}

/// An error that names the first place where `part` is not part of `whole`.
fn differs(at: &str, part: &Value, whole: &Value) -> Result<(), String> {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().try_for_each(|(key, part)| {
            let at = key_place(at, key);
            let found =
                whole.get(key).ok_or_else(|| format!("{at} is missing; {} was expected", quoted(part)))?;
            differs(&at, part, found)
        }),
        (Value::Array(parts), Value::Array(items)) if parts.len() == items.len() => {
            let mut pairs = parts.iter().zip(items).enumerate();
            pairs.try_for_each(|(i, (part, item))| differs(&index_place(at, i), part, item))
        }
        _ if same(part, whole) => Ok(()),
        _ => Err(format!("{at} is {}; {} was expected", quoted(whole), quoted(part))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn poll(expected: &PollExpectation, events: &Value, state: &Value) -> String {
        let events = events.as_array().unwrap();
        expected.check(Ok((events, state))).err().unwrap_or_default()
    }

    fn events(events: &Value, at_least: Option<usize>) -> PollExpectation {
        PollExpectation { events: events.as_array().cloned(), at_least, ..PollExpectation::default() }
    }

    #[test]
    fn events_are_compared_in_order_and_in_part() {
        let seen = json!([{"n": 1, "at": 5}, {"n": 2.0, "list": [{"a": 1, "b": 2}]}]);
        let with = |expected: Value| poll(&events(&expected, None), &seen, &json!({}));
        assert_eq!(with(json!([{"n": 1}, {"n": 2, "list": [{"a": 1}]}])), "");
        assert_eq!(with(json!([{"n": 1}])), "1 event was expected, not 2");
        assert_eq!(with(json!([])), "0 events were expected, not 2");
        assert_eq!(with(json!([{"n": 1}, {"n": 3}])), "events[1].n is 2.0; 3 was expected");
        assert_eq!(with(json!([{"m": 1}, {}])), "events[0].m is missing; 1 was expected");
        let among = |expected: Value, least| poll(&events(&expected, Some(least)), &seen, &json!({}));
        assert_eq!(among(json!([{"n": 2}]), 1), "");
        assert_eq!(among(json!([{"n": 4}]), 1), r#"no event has {"n":4}"#);
        assert_eq!(among(json!(null), 3), "at least 3 events were expected, not 2");
    }

    #[test]
    fn state_and_errors_are_compared() {
        let state = PollExpectation { state: Some(json!({"seen": {"a": 1}})), ..PollExpectation::default() };
        assert_eq!(poll(&state, &json!([]), &json!({"seen": {"a": 1, "b": 2}})), "");
        assert_eq!(poll(&state, &json!([]), &json!({"seen": 1})), r#"state.seen is 1; {"a":1} was expected"#);
        assert_eq!(state.check(Err("no disk")).unwrap_err(), "no disk");
        let error = PollExpectation { error: Some("no disk".into()), ..PollExpectation::default() };
        assert_eq!(error.check(Err("it has no disk left")), Ok(()));
        assert!(error.check(Err("no")).is_err() && error.check(Ok((&[], &json!({})))).is_err());
    }

    #[test]
    fn a_rule_fires_or_not() {
        let fires = RuleExpectation { fires: true, params: Some(json!({"text": "a"})) };
        assert_eq!(fires.check(Ok(&json!({"text": "a", "tone": "calm"}))), Ok(()));
        assert_eq!(
            fires.check(Ok(&json!({"text": 1}))).unwrap_err(),
            r#"params.text is 1; "a" was expected"#
        );
        assert_eq!(fires.check(Err("too small")).unwrap_err(), "it does not fire: too small");
        let rests = RuleExpectation::default();
        assert!(rests.check(Err("too small")).is_ok() && rests.check(Ok(&json!({}))).is_err());
    }
}
