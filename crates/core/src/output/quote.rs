//! Excerpts of hostile bytes for messages and logs.

/// Characters of an excerpt.
const LENGTH: usize = 120;
/// Bytes shown before the offending one.
const BEFORE: usize = 40;

/// The start of `bytes`, escaped.
pub(crate) fn start(bytes: &[u8]) -> String {
    around(bytes, 0)
}

/// What stands around `position`, from the very start when that is near; escaped.
pub(crate) fn around(bytes: &[u8], position: usize) -> String {
    let from = if position <= LENGTH / 2 { 0 } else { boundary(bytes, position - BEFORE) };
    let mut quoted = String::from(if from > 0 { "…" } else { "" });
    let mut shown = 0;
    // An escape is at most ten characters, and each escapes at least one byte.
    for chunk in bytes.get(from..).unwrap_or_default().utf8_chunks() {
        for character in chunk.valid().chars() {
            quoted.extend(character.escape_debug());
            shown += 1;
            if shown >= LENGTH {
                return quoted + "…";
            }
        }
        for byte in chunk.invalid() {
            quoted.push_str("\\x");
            quoted.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
            shown += 1;
        }
    }
    quoted
}

/// The next start of a character, so that an excerpt does not begin with half of one.
fn boundary(bytes: &[u8], from: usize) -> usize {
    (from..from + 4).find(|&index| bytes.get(index).is_none_or(|byte| byte & 0xC0 != 0x80)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_shortens() {
        assert_eq!(start(b"a\xff\xfe\n\"\0\x1b[31m"), r#"a\xff\xfe\n\"\0\u{1b}[31m"#);
        assert_eq!(start("grün".as_bytes()), "grün");
        assert_eq!(start(&[b'x'; 500]), "x".repeat(LENGTH) + "…");
        let long = "é".repeat(200) + "!" + &"z".repeat(200);
        let excerpt = around(long.as_bytes(), 400);
        assert!(
            excerpt.starts_with("…éé") && excerpt.contains("é!z") && excerpt.ends_with("z…"),
            "{excerpt}"
        );
    }

    proptest! {
        #[test]
        fn never_panics_and_stays_short(bytes: Vec<u8>, position in 0..300_usize) {
            let excerpt = around(&bytes, position);
            prop_assert!(excerpt.chars().count() <= (LENGTH + 4) * 10);
            prop_assert!(!excerpt.contains('\n'));
        }
    }
}
