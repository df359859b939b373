//! Refs: lower-case dotted names whose first part is the pack.

const PART: &str = "a ref is lower-case words of a-z, 0-9, _ and -, joined by dots";

/// Whether `text` may be the ref of a pack: one part, no dot.
pub fn check_pack_ref(text: &str) -> Result<(), String> {
    if is_part(text) {
        Ok(())
    } else {
        Err(format!("{text:?} is no ref of a pack: {PART}; a pack's has no dot"))
    }
}

/// Whether `text` may be the ref of a thing in a pack: `pack.name`.
pub fn check_ref(text: &str) -> Result<(), String> {
    let mut parts = text.split('.');
    if parts.clone().count() > 1 && parts.all(is_part) {
        Ok(())
    } else {
        Err(format!("{text:?} is no ref: {PART}, and begins with its pack"))
    }
}

/// The pack that a ref belongs to: its first part.
pub fn pack_of(text: &str) -> &str {
    text.split('.').next().unwrap_or(text)
}

fn is_part(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_dotted_lower_case() {
        for good in ["core.python", "core.sensor.builtin", "my-pack.cpu_high2", "3d.print"] {
            assert_eq!(check_ref(good), Ok(()), "{good}");
        }
        assert_eq!(check_pack_ref("demo"), Ok(()));
    }

    #[test]
    fn refuses_everything_else() {
        for bad in ["", "core", "Core.python", "core.", ".core", "core..x", "core.a b", "core.é", "core.-x"]
        {
            assert!(check_ref(bad).is_err(), "{bad}");
        }
        for bad in ["", "a.b", "Demo", "de mo"] {
            assert!(check_pack_ref(bad).is_err(), "{bad}");
        }
    }
}
