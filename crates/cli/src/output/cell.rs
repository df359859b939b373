//! One value as a person reads it.
//!
//! Values come from packs and programs, so control characters are shown and not sent to the terminal.

use attune_core::printable::printable;
use serde_json::Value;

/// Longer texts are cut in tables; `show` and JSON have them whole.
const WIDTH: usize = 60;

/// A value in a table.
pub(super) fn short(value: &Value) -> String {
    let text = long(value).replace('\n', "⏎");
    match text.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// A value by itself.
pub(super) fn long(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::String(text) => printable(&time(text).unwrap_or_else(|| text.clone())),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(long).collect::<Vec<_>>().join(", ")
        }
        other => printable(&other.to_string()),
    }
}

/// Timestamps without the parts that no table needs: `2026-01-31 09:35:15Z`.
fn time(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_time = bytes.len() == 24 && bytes[4] == b'-' && bytes[10] == b'T' && text.ends_with('Z');
    is_time.then(|| format!("{} {}Z", &text[..10], &text[11..19]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(short(&json!("\u{1b}[2Jgone\u{202e}")), "\u{fffd}[2Jgone\u{fffd}");
    }

    #[test]
    fn times_are_short_and_long_texts_are_cut() {
        assert_eq!(short(&json!("2026-01-31T09:35:15.123Z")), "2026-01-31 09:35:15Z");
        assert_eq!(short(&json!("é".repeat(100))).chars().count(), WIDTH + 1);
    }

    #[test]
    fn lists_of_words_read_as_words() {
        assert_eq!(short(&json!(["shell", "python"])), "shell, python");
        assert_eq!(short(&json!({"a": 1})), r#"{"a":1}"#);
        assert_eq!((short(&Value::Null), short(&json!([]))), ("-".to_owned(), "-".to_owned()));
    }
}
