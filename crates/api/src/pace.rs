//! Readers that give way. While something is written, a long list that is read without the token is read with pauses: for
//! each moment of work several of rest. So a crowd of readers takes a part of the processors and of the database, and not
//! what writers would wait for.
//!
//! A list rests in its place. Were the place free meanwhile, another list would work there at once, and a crowd would never
//! rest. Lists have not all places (see [`crate::readers`]), so what is read in a moment does not wait for one that rests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::trust::Trust;

/// How long after a write it counts.
const MEMORY: Duration = Duration::from_secs(1);
/// Moments of rest for one of work.
const REST: u32 = 15;
/// A rest is never longer.
const LONGEST: Duration = Duration::from_millis(500);

/// When something was last written.
#[derive(Debug)]
pub(crate) struct Pace {
    start: Instant,
    /// Milliseconds after the start; 0 is never.
    last: AtomicU64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Something is being written.
    pub(crate) fn write(&self) {
        self.last.store(self.now().max(1), Ordering::Relaxed);
    }

    /// Rests after a piece of work that took so long.
    pub(crate) async fn rest(&self, trust: Trust, took: Duration) {
        let rest = self.rest_after(trust, took);
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }

    fn rest_after(&self, trust: Trust, took: Duration) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        let is_written = last > 0 && u128::from(self.now() - last.min(self.now())) < MEMORY.as_millis();
        if is_written && trust == Trust::Anyone { (took * REST).min(LONGEST) } else { Duration::ZERO }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_the_token_rests_while_something_is_written() {
        let (pace, took) = (Pace::new(), Duration::from_millis(2));
        assert_eq!(pace.rest_after(Trust::Anyone, took), Duration::ZERO);
        pace.last.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(pace.rest_after(Trust::Anyone, took), took * REST);
        assert_eq!(pace.rest_after(Trust::Anyone, took * 1000), LONGEST);
        assert_eq!(pace.rest_after(Trust::Token, took), Duration::ZERO);
    }
}
