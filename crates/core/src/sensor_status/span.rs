//! Spans of time as people write and read them: `10m`, `1h 30m`, or a number of seconds.

use std::time::Duration;

use serde_json::Value;

/// A longer one is no expectation any more, and no clock can be held against it.
const LONGEST: Duration = Duration::from_hours(24 * 365);
/// From here on nobody reads parts of a second.
const LONG: Duration = Duration::from_secs(10);

/// Reads a span that is longer than nothing. `Err` says what is wrong, to follow the name of the field.
pub fn span(value: &Value) -> Result<Duration, String> {
    let read = match value {
        Value::Number(number) => number
            .as_f64()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(String::new),
        Value::String(text) => humantime::parse_duration(text).map_err(|error| format!(": {error}")),
        _ => Err(String::new()),
    };
    let span = read.map_err(|why| format!("must be a time such as 90s, 10m or 1h 30m, not {value}{why}"))?;
    match span {
        Duration::ZERO => Err(format!("must be longer than nothing, not {value}")),
        span if span > LONGEST => Err(format!("must be no longer than a year, not {value}")),
        span => Ok(span),
    }
}

/// A span in words: `12m 3s`, `1s 200ms`.
pub fn in_words(span: Duration) -> String {
    let step = if span >= LONG { 1000 } else { 100 };
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    humantime::format_duration(Duration::from_millis(millis - millis % step)).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_span_is_text_with_units_or_seconds() {
        for (value, seconds) in
            [(json!("10m"), 600.0), (json!("1h 30m"), 5400.0), (json!("500ms"), 0.5), (json!(2.5), 2.5)]
        {
            assert_eq!(span(&value), Ok(Duration::from_secs_f64(seconds)), "{value}");
        }
    }

    #[test]
    fn what_is_none_is_said() {
        for value in [
            json!("10"),
            json!("soon"),
            json!(0),
            json!(-1),
            json!("0s"),
            json!("2y"),
            json!([]),
            json!(1e300),
            json!(""),
        ] {
            let fault = span(&value).unwrap_err();
            assert!(fault.starts_with("must be ") && fault.contains(&value.to_string()), "{fault}");
        }
    }

    #[test]
    fn words_have_no_more_parts_than_are_read() {
        let words =
            [750_900, 90_000, 1_234, 42_000, 3_900_000, 0].map(|ms| in_words(Duration::from_millis(ms)));
        assert_eq!(words, ["12m 30s", "1m 30s", "1s 200ms", "42s", "1h 5m", "0s"]);
    }
}
