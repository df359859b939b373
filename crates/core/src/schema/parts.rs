//! The measure of a value: each part of it is one, and so is each 32 bytes of a text or a name.

use std::convert::Infallible;

use serde_json::Value;

/// Bytes of a text that count as one.
const BLOCK: usize = 32;

/// What the bytes of a text or a name count.
pub(super) fn blocks(bytes: usize) -> u64 {
    (bytes / BLOCK) as u64
}

/// What a value counts as a whole.
pub(super) fn count(value: &Value) -> u64 {
    let mut sum = 0;
    let Ok(()) = each(value, &mut |count| {
        sum += count;
        Ok::<_, Infallible>(())
    });
    sum
}

/// Gives `take` what each part of a value counts, until that fails.
pub(super) fn each<E>(value: &Value, take: &mut impl FnMut(u64) -> Result<(), E>) -> Result<(), E> {
    match value {
        Value::Array(list) => {
            take(1)?;
            list.iter().try_for_each(|element| each(element, take))
        }
        Value::Object(map) => {
            take(1)?;
            map.iter().try_for_each(|(name, value)| {
                take(blocks(name.len()))?;
                each(value, take)
            })
        }
        Value::String(text) => take(1 + blocks(text.len())),
        _ => take(1),
    }
}
