//! Brakes: how much may follow from one thing, and how long a chain may get. They bound what a mistake costs, and lie far
//! above what is meant.

use std::fmt;

/// Rules that may fire for one event.
pub const RULES_OF_AN_EVENT: usize = 10_000;
/// Enforcements of one submission: a request's events, a poll, a checkpoint.
pub const ENFORCEMENTS_OF_A_SUBMISSION: usize = 50_000;
/// Bytes that the parameters of the executions of one submission may take, as JSON text.
pub const PARAMETERS_OF_A_SUBMISSION: usize = 64 * 1024 * 1024;

/// How long chains may get, and how many events they may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLimits {
    /// Executions between an event and the outside world.
    pub depth: u32,
    /// Events that executions send in one chain.
    pub events: u32,
}

/// Why a chain goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Events lead to executions that send events, again and again.
    #[error(
        "{0} executions led to each other already, and a chain ends there (limits.chain_depth): does a rule lead back to its own trigger?"
    )]
    TooDeep(u32),
    /// It branches too much.
    #[error(
        "the executions that follow from one event may send at most {} events (limits.chain_events): do rules lead back to their own trigger?",
        Readable(*.0 as usize)
    )]
    TooMany(u32),
}

impl ChainLimits {
    /// The depth of events that are sent by an execution to which an event of this depth led.
    pub fn next(self, depth: i16) -> Result<i16, ChainFault> {
        let next = depth.saturating_add(1);
        if u32::from(next.unsigned_abs()) > self.depth || depth == i16::MAX {
            return Err(ChainFault::TooDeep(self.depth));
        }
        Ok(next)
    }
}

/// What is counted in a minute, which begins with the first one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Minute {
    /// In milliseconds since 1970.
    began: i64,
    count: u32,
}

/// The length of a minute in milliseconds.
const MINUTE: i64 = 60_000;

impl Minute {
    /// Counts one more at this time, if there may be so many. Returns when its minute began; else when there may be some again.
    pub fn take(&mut self, now: i64, limit: u32) -> Result<i64, i64> {
        // A clock that went back begins a new one.
        if !(self.began..self.began + MINUTE).contains(&now) {
            *self = Self { began: now, count: 0 };
        }
        if self.count >= limit {
            return Err(self.began + MINUTE);
        }
        self.count += 1;
        Ok(self.began)
    }

    /// One that was counted in the minute that began then did not happen.
    pub fn give_back(&mut self, began: i64) {
        if self.began == began {
            self.count = self.count.saturating_sub(1);
        }
    }
}

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
    fn a_chain_ends_at_its_limit_and_where_the_column_does() {
        let limits = ChainLimits { depth: 32, events: 1000 };
        assert_eq!((limits.next(0), limits.next(31)), (Ok(1), Ok(32)));
        assert_eq!(limits.next(32), Err(ChainFault::TooDeep(32)));
        let endless = ChainLimits { depth: u32::MAX, ..limits };
        assert_eq!(endless.next(i16::MAX - 1), Ok(i16::MAX));
        assert!(endless.next(i16::MAX).is_err());
    }

    #[test]
    fn a_minute_has_room_for_so_many_and_the_next_one_again() {
        let mut minute = Minute::default();
        let start = 1_700_000_000_000;
        assert_eq!([0, 59_999].map(|ms| minute.take(start + ms, 2)), [Ok(start); 2]);
        assert_eq!(minute.take(start + 59_999, 2), Err(start + 60_000));
        minute.give_back(start);
        assert_eq!(minute.take(start + 59_999, 2), Ok(start));
        assert_eq!(minute.take(start + 60_000, 1), Ok(start + 60_000));
        minute.give_back(start);
        assert_eq!(minute.take(start + 60_001, 1), Err(start + 120_000), "what is over lowers nothing");
        assert_eq!(minute.take(start, 2), Ok(start), "the clock went back");
        assert_eq!([1, 2].map(|ms| minute.take(start + ms, 2)), [Ok(start), Err(start + 60_000)]);
    }

    #[test]
    fn thousands_are_set_apart() {
        let read = [0, 7, 999, 1000, 50_000, 1_234_567].map(|number| Readable(number).to_string());
        assert_eq!(read, ["0", "7", "999", "1,000", "50,000", "1,234,567"]);
    }
}
