//! What an author expects of a sensor: at least one event, or one contact with its source, in a span of time. All that is
//! expected has to hold.

use std::time::Duration;

use serde_json::Value;

use super::span::{in_words, span};

/// The keys of `expect`.
pub const KEYS: [&str; 2] = ["event", "contact"];

/// What is expected; nothing of what is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expect {
    /// An event in each span of this length.
    pub event: Option<Duration>,
    /// A contact with its source in each span of this length.
    pub contact: Option<Duration>,
}

impl Expect {
    /// Reads the column: null, or an object. `Err`: the key that is wrong, empty for the whole, and what is wrong with it.
    pub fn read(column: &Value) -> Result<Self, (String, String)> {
        let keys = match column {
            Value::Null => return Ok(Self::default()),
            Value::Object(keys) => keys,
            other => return Err((String::new(), format!("must be a mapping, not {other}"))),
        };
        if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err((unknown.clone(), "is no known key: event, contact".to_owned()));
        }
        let read = |key: &str| keys.get(key).map(span).transpose().map_err(|fault| (key.to_owned(), fault));
        Ok(Self { event: read("event")?, contact: read("contact")? })
    }

    /// What is broken, in words, if this long ago was the last event and the last contact.
    pub(super) fn broken(&self, event: Duration, contact: Duration) -> Option<String> {
        let event = missing("event", self.event, event);
        let contact = missing("contact with its source", self.contact, contact);
        event.into_iter().chain(contact).reduce(|event, contact| format!("{event}; {contact}"))
    }
}

fn missing(what: &str, expected: Option<Duration>, ago: Duration) -> Option<String> {
    let expected = expected.filter(|expected| ago > *expected)?;
    Some(format!("no {what} for {}, expected one each {}", in_words(ago), in_words(expected)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn what_is_left_out_is_not_expected() {
        assert_eq!(Expect::read(&Value::Null), Ok(Expect::default()));
        let expect = Expect::read(&json!({"event": "10m"})).unwrap();
        assert_eq!(expect, Expect { event: Some(10 * MINUTE), contact: None });
        assert_eq!(expect.broken(10 * MINUTE, 99 * MINUTE), None);
        let reason = expect.broken(12 * MINUTE, MINUTE).unwrap();
        assert_eq!(reason, "no event for 12m, expected one each 10m");
    }

    #[test]
    fn all_has_to_hold() {
        let expect = Expect::read(&json!({"event": "10m", "contact": 30})).unwrap();
        assert_eq!(
            expect.broken(11 * MINUTE, MINUTE).unwrap(),
            "no event for 11m, expected one each 10m; no contact with its source for 1m, expected one each 30s"
        );
        assert_eq!(expect.broken(MINUTE, MINUTE / 2), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (column, key) in
            [(json!({"events": "10m"}), "events"), (json!({"event": "x"}), "event"), (json!([]), "")]
        {
            assert_eq!(Expect::read(&column).unwrap_err().0, key);
        }
    }
}
