//! Brakes: how much may follow from one thing, and how long a chain may get. They bound what a mistake costs, and lie far
//! above what is meant.

use std::fmt;

/// Rules that may fire for one event.
pub const RULES_OF_AN_EVENT: usize = 10_000;
/// Enforcements of one submission: a request's events, a poll, a checkpoint.
pub const ENFORCEMENTS_OF_A_SUBMISSION: usize = 50_000;
/// Bytes that the parameters of the executions of one submission may take, as JSON text.
pub const PARAMETERS_OF_A_SUBMISSION: usize = 64 * 1024 * 1024;

/// A number as people read it: `50,000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readable(pub usize);

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let read = [0, 7, 999, 1000, 50_000, 1_234_567].map(|number| Readable(number).to_string());
        assert_eq!(read, ["0", "7", "999", "1,000", "50,000", "1,234,567"]);
    }
}
