//! When a stream that failed is started again.

use std::time::Duration;

use attune_core::backoff;

/// A stream that ran this long has recovered from what made it fail before.
pub(super) const STABLE: Duration = Duration::from_mins(1);

/// The wait after a first failure.
const FIRST: Duration = Duration::from_secs(1);

/// The failures of one stream, in a row.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    failures: u32,
}

impl Restarts {
    /// Goes on counting after the failures that it had elsewhere.
    pub(super) fn after(failures: i32) -> Self {
        Self { failures: u32::try_from(failures).unwrap_or(0) }
    }

    /// Failures in a row so far.
    pub(super) fn failures(&self) -> i32 {
        i32::try_from(self.failures).unwrap_or(i32::MAX)
    }

    /// It failed, or was killed from outside, after having run for `lived`. Returns how long to wait, with jitter by `random`
    /// from 0 to 1.
    pub(super) fn failed(&mut self, lived: Duration, was_killed: bool, random: f64) -> Duration {
        if lived >= STABLE {
            self.recovered();
        }
        self.failures = self.failures.saturating_add(1);
        backoff::delay(FIRST, backoff::cap(was_killed), self.failures, random)
    }

    /// What went wrong before no longer counts.
    pub(super) fn recovered(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_from_a_second_to_five_minutes() {
        let mut restarts = Restarts::default();
        let waits: Vec<u64> = (0..11).map(|_| restarts.failed(SECOND, false, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(restarts.failures(), 11);
    }

    #[test]
    fn a_stable_minute_begins_anew() {
        let mut restarts = Restarts::after(6);
        assert_eq!(restarts.failed(59 * SECOND, false, 1.0), 64 * SECOND);
        assert_eq!(restarts.failed(STABLE, false, 1.0), SECOND);
        assert_eq!(restarts.failures(), 1);
    }

    #[test]
    fn jitter_takes_up_to_half() {
        assert_eq!(Restarts::after(3).failed(SECOND, false, 0.0), 4 * SECOND);
    }

    #[test]
    fn who_was_killed_waits_no_longer_than_ten_seconds() {
        let mut restarts = Restarts::default();
        let waits: Vec<u64> = (0..6).map(|_| restarts.failed(SECOND, true, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
    }
}
