//! One text per value, whatever the order of its keys and however its numbers are written: what parameters are compared
//! and snapshots are counted by.

use std::fmt::Write;

use serde_json::{Number, Value};

/// The canonical text of a value: keys sorted by code point, no white space, 1.0 as 1.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Array(list) => separated(text, ['[', ']'], list, write),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            separated(text, ['{', '}'], entries, |text, (key, value)| {
                append(text, &Value::from(key.as_str()));
                text.push(':');
                write(text, value);
            });
        }
        Value::Number(number) => write_number(text, number),
        Value::Null | Value::Bool(_) | Value::String(_) => append(text, value),
    }
}

fn separated<T>(
    text: &mut String,
    [open, close]: [char; 2],
    all: impl IntoIterator<Item = T>,
    each: impl Fn(&mut String, T),
) {
    text.push(open);
    for (index, one) in all.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        each(text, one);
    }
    text.push(close);
}

/// A float that is an integer of 64 bits is written as that integer. Beyond, only floats exist, so each has one text.
fn write_number(text: &mut String, number: &Number) {
    match number.as_f64().filter(|float| number.is_f64() && is_integer_of_64_bits(*float)) {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 64 bits")]
        Some(whole) => append(text, &(whole as i128)),
        None => append(text, number),
    }
}

fn is_integer_of_64_bits(float: f64) -> bool {
    float.fract() == 0.0 && (-9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0).contains(&float)
}

fn append(text: &mut String, part: &impl std::fmt::Display) {
    write!(text, "{part}").expect("a String takes everything");
}
