//! What a worker knows of its own punctuality: how late ticks start, how many were missed, and what the manager itself
//! costs.
//!
//! Counted is what a healthy sensor may expect. A sensor that failed before, or waits in the slow lane, is late by its own
//! doing, and shows that in its own row.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// Lateness is kept with two digits, from a microsecond to an hour.
const LONGEST: u64 = 3_600_000_000;

/// The figures of one worker since its start; clones are the same figures.
#[derive(Debug, Clone, Default)]
pub struct Figures(Arc<Mutex<Snapshot>>);

/// The figures at one time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// How late the ticks of healthy sensors started, in microseconds.
    pub lateness: Histogram<u64>,
    /// Ticks of healthy sensors that were skipped, because the one before started later than they were due.
    pub missed: u64,
    /// Turns of all sensors.
    pub turns: u64,
    /// The processor time that the manager took for them, without the turns themselves.
    pub busy: Duration,
}

impl Default for Snapshot {
    fn default() -> Self {
        let lateness =
            Histogram::new_with_bounds(1, LONGEST, 2).expect("the bounds are those of a histogram");
        Self { lateness, missed: 0, turns: 0, busy: Duration::ZERO }
    }
}

impl Snapshot {
    /// What came after an earlier one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut lateness = self.lateness.clone();
        lateness.subtract(&earlier.lateness).expect("a later histogram holds all of an earlier one");
        Self {
            lateness,
            missed: self.missed - earlier.missed,
            turns: self.turns - earlier.turns,
            busy: self.busy.saturating_sub(earlier.busy),
        }
    }

    /// As late as this, or less, was this part of the ticks.
    pub fn late(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.lateness.value_at_quantile(quantile))
    }
}

impl Figures {
    /// The figures now.
    pub fn snapshot(&self) -> Snapshot {
        self.current().clone()
    }

    /// A tick of a healthy sensor starts, so late, while the next `missed` are over already.
    pub(super) fn tick(&self, late: Duration, missed: u64) {
        let mut current = self.current();
        current.lateness.saturating_record(u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
        current.missed += missed;
    }

    /// The manager was busy for so long, and started as many turns.
    pub(super) fn work(&self, busy: Duration, turns: u64) {
        let mut current = self.current();
        current.busy += busy;
        current.turns += turns;
    }

    fn current(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_has_its_own_figures() {
        let figures = Figures::default();
        figures.tick(Duration::from_secs(5), 2);
        let before = figures.snapshot();
        (0..100).for_each(|ms| figures.tick(Duration::from_millis(ms), 0));
        figures.work(Duration::from_millis(1), 100);
        let stretch = figures.snapshot().since(&before);
        assert_eq!((stretch.lateness.len(), stretch.missed, stretch.turns), (100, 0, 100));
        assert!((Duration::from_millis(97)..Duration::from_millis(103)).contains(&stretch.late(0.99)));
        assert!(figures.snapshot().late(1.0) >= Duration::from_secs(5));
        figures.tick(Duration::MAX, 0);
    }
}
