//! What a program printed, as the result of its execution.

use attune_core::output;
use serde_json::Value;

/// JSON when it is JSON that the database can store, else text. A line's end is not part of a text, and NUL, which no
/// text can have there, is escaped.
pub(crate) fn value(stdout: &[u8]) -> Value {
    if stdout.trim_ascii().is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice::<Value>(stdout) {
        Ok(value) if output::storable(&value).is_ok() => value,
        _ => text(stdout).into(),
    }
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    text.strip_suffix('\r').unwrap_or(text).replace('\0', "\\0")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_kept_and_the_rest_is_text() {
        for (stdout, expected) in [
            (&b"{\"a\": [1, 2.5]}\n"[..], json!({"a": [1, 2.5]})),
            (b"7", json!(7)),
            (b" \n", json!(null)),
            (b"hello\nworld\r\n", json!("hello\nworld")),
            (b"a\0b", json!("a\\0b")),
            (b"\"a\\u0000b\"", json!("\"a\\u0000b\"")),
            (b"NaN", json!("NaN")),
            (b"1e999", json!("1e999")),
            (b"\xff", json!("\u{fffd}")),
            (b"{\"half\":", json!("{\"half\":")),
        ] {
            assert_eq!(value(stdout), expected, "{}", stdout.escape_ascii());
        }
    }
}
