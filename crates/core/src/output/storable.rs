//! What JSONB refuses although it is JSON, and what is not even JSON.

use serde_json::Value;

/// Levels of lists and objects in an event or a state.
pub const MAX_DEPTH: usize = 100;

/// Why an event (or a state) can not be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Not an object.
    #[error("it is not a JSON object, but {0}")]
    NotAnObject(&'static str),
    /// Not text.
    #[error("it is not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Not JSON, which has neither NaN nor Infinity.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// `\u0000` in a string or a key.
    #[error("it contains \\u0000, which PostgreSQL can not store")]
    Nul,
    /// Half of a surrogate pair.
    #[error("it contains a lone surrogate, which is no character")]
    LoneSurrogate,
    /// A number beyond 64 bits of floating point.
    #[error("it contains a number that is out of range")]
    OutOfRange,
    /// Lists or objects without end.
    #[error("it is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Too many bytes.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// A message of type `event` without one.
    #[error("the message has no `payload`")]
    NoPayload,
}

/// Whether JSONB can hold the value.
pub fn storable(value: &Value) -> Result<(), Reason> {
    check(value, 1)
}

fn check(value: &Value, depth: usize) -> Result<(), Reason> {
    if depth > MAX_DEPTH && (value.is_array() || value.is_object()) {
        return Err(Reason::TooDeep);
    }
    match value {
        Value::String(text) => without_nul(text),
        Value::Array(list) => list.iter().try_for_each(|element| check(element, depth + 1)),
        Value::Object(map) => {
            map.iter().try_for_each(|(key, value)| without_nul(key).and_then(|()| check(value, depth + 1)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn without_nul(text: &str) -> Result<(), Reason> {
    if text.contains('\0') { Err(Reason::Nul) } else { Ok(()) }
}

impl Reason {
    /// What a parser's complaint means. The parser has no codes for these; a test holds its words.
    pub(crate) fn of_parse_error(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        if message.starts_with("number out of range") {
            Self::OutOfRange
        } else if message.starts_with("recursion limit exceeded") {
            Self::TooDeep
        } else if message.contains("surrogate") || message.starts_with("unexpected end of hex escape") {
            Self::LoneSurrogate
        } else {
            Self::NotJson(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn refuses_nul_anywhere() {
        for value in [json!("a\0"), json!(["\0"]), json!({"a": {"\0": 1}}), json!({"a": [{"b": "\0"}]})] {
            assert_eq!(storable(&value), Err(Reason::Nul), "{value}");
        }
        assert_eq!(storable(&json!({"a": ["\u{1}", "\\u0000", 1e308, u64::MAX, null]})), Ok(()));
    }

    #[test]
    fn refuses_depth() {
        assert_eq!(storable(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(storable(&nested(MAX_DEPTH + 1)), Err(Reason::TooDeep));
    }

    #[test]
    fn the_words_of_the_parser() {
        let reason = |text: &str| Reason::of_parse_error(&serde_json::from_str::<Value>(text).unwrap_err());
        for text in [r#""\ud800""#, r#""\ud800x""#, r#""\udc00""#, r#""\ud800\ud800""#, r#""\ud800\n""#] {
            assert_eq!(reason(text), Reason::LoneSurrogate, "{text}");
        }
        assert_eq!(reason("1e400"), Reason::OutOfRange);
        assert_eq!(reason("-1e400"), Reason::OutOfRange);
        assert_eq!(reason(&"[".repeat(200)), Reason::TooDeep);
        assert!(matches!(reason("NaN"), Reason::NotJson(_)));
        assert!(matches!(reason("{"), Reason::NotJson(_)));
    }
}
