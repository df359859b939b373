//! When each sensor is due: a queue by time, one entry per sensor.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

/// Between the first ticks of sensors that come together. A sensor that comes alone is polled at once.
const GAP: Duration = Duration::from_millis(3);
/// However many they are, all have been polled after this time.
const WINDOW: Duration = Duration::from_mins(1);

/// The next tick of each sensor.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    by_time: BTreeSet<(Instant, i64)>,
    due: HashMap<i64, Instant>,
}

impl Agenda {
    /// Sets or moves a sensor's next tick.
    pub(super) fn set(&mut self, sensor: i64, at: Instant) {
        self.remove(sensor);
        self.by_time.insert((at, sensor));
        self.due.insert(sensor, at);
    }

    /// Forgets a sensor's next tick.
    pub(super) fn remove(&mut self, sensor: i64) {
        if let Some(at) = self.due.remove(&sensor) {
            self.by_time.remove(&(at, sensor));
        }
    }

    /// Whether a sensor has a next tick; else it is being polled, or waits for a place.
    pub(super) fn has(&self, sensor: i64) -> bool {
        self.due.contains_key(&sensor)
    }

    /// The time of the next tick of all.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes a sensor that is due, the longest due first.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(i64, Instant)> {
        let (at, sensor) = *self.by_time.first().filter(|(at, _)| *at <= now)?;
        self.remove(sensor);
        Some((sensor, at))
    }
}

/// As long may it take until as many new sensors as these have all been polled.
pub(super) fn window(sensors: usize) -> Duration {
    GAP.saturating_mul(u32::try_from(sensors).unwrap_or(u32::MAX)).min(WINDOW)
}

/// From a sensor's first tick to its second: a half to a whole interval. First ticks come soon and therefore close
/// together; from the second on they are spread over the interval.
pub(super) fn second_gap(sensor: i64, interval: Duration) -> Duration {
    interval / 2 + spread(sensor, interval / 2)
}

/// Where in `window` a sensor's tick falls: spread by its id, so that a start is no stampede.
pub(super) fn spread(sensor: i64, window: Duration) -> Duration {
    // Fibonacci hashing: neighbouring ids fall far apart.
    let hash = sensor.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    window.mul_f64(f64::from(u32::try_from(hash).unwrap_or(0)) / f64::from(1_u32 << 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn the_longest_due_comes_first_and_each_once() {
        let now = Instant::now();
        let mut agenda = Agenda::default();
        agenda.set(1, now + SECOND);
        agenda.set(2, now);
        agenda.set(3, now + 9 * SECOND);
        agenda.set(3, now - SECOND);
        assert_eq!(agenda.next(), Some(now - SECOND));
        assert_eq!(agenda.pop_due(now), Some((3, now - SECOND)));
        assert_eq!(agenda.pop_due(now), Some((2, now)));
        assert_eq!(agenda.pop_due(now), None);
        agenda.remove(1);
        assert_eq!(agenda.next(), None);
    }

    #[test]
    fn one_new_sensor_is_polled_at_once_and_many_within_bounds() {
        assert!(window(1) < SECOND / 100);
        assert!((20 * SECOND..=40 * SECOND).contains(&window(10_000)));
        assert_eq!(window(usize::MAX), WINDOW);
    }

    #[test]
    fn second_ticks_are_neither_at_once_nor_late() {
        let gaps: Vec<_> = (1..=1000).map(|sensor| second_gap(sensor, 30 * SECOND)).collect();
        assert!(gaps.iter().all(|gap| (15 * SECOND..=30 * SECOND).contains(gap)));
        assert!(gaps.iter().filter(|gap| **gap < 20 * SECOND).count() < 400);
    }

    #[test]
    fn first_ticks_are_spread_over_the_window() {
        let mut quarters = [0; 4];
        for sensor in 1..=1000 {
            let at = spread(sensor, 4 * SECOND);
            assert!(at < 4 * SECOND);
            quarters[usize::try_from(at.as_secs()).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|count| (200..300).contains(count)), "{quarters:?}");
    }
}
