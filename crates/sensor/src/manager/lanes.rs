//! How many polls run at once, and which.
//!
//! Two lanes of the same size. A poll starts in the fast one; older than [`SOON`] it gives its place there up and goes on
//! in the slow one, as soon as that has room. A sensor that timed out before starts in the slow lane. So sensors that hang
//! wait for each other, and nobody else does.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// A poll that takes longer is slow.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// Which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Fast,
    Slow,
}

/// Who runs and who waits.
#[derive(Debug)]
pub(super) struct Lanes {
    size: usize,
    running: HashMap<i64, (Lane, Instant)>,
    waiting: [VecDeque<i64>; 2],
}

impl Lanes {
    pub(super) fn new(size: usize) -> Self {
        Self { size, running: HashMap::new(), waiting: Default::default() }
    }

    /// A sensor waits for a place in a lane.
    pub(super) fn wait(&mut self, sensor: i64, lane: Lane) {
        self.waiting[lane as usize].push_back(sensor);
    }

    /// A sensor waits no longer, and its poll, if any, is over.
    pub(super) fn leave(&mut self, sensor: i64) {
        self.running.remove(&sensor);
        self.waiting.iter_mut().for_each(|waiting| waiting.retain(|waiter| *waiter != sensor));
    }

    /// Gives a place to who has waited longest for one that is free.
    pub(super) fn start(&mut self, now: Instant) -> Option<i64> {
        self.hand_over(now);
        let lane = [Lane::Fast, Lane::Slow]
            .into_iter()
            .find(|lane| self.has_room(*lane) && !self.waiting[*lane as usize].is_empty())?;
        let sensor = self.waiting[lane as usize].pop_front()?;
        self.running.insert(sensor, (lane, now));
        Some(sensor)
    }

    /// When a poll may next give up its place in the fast lane for somebody who waits.
    pub(super) fn next_hand_over(&self) -> Option<Instant> {
        if self.waiting[Lane::Fast as usize].is_empty() || !self.has_room(Lane::Slow) {
            return None;
        }
        self.in_lane(Lane::Fast).map(|(_, started)| started + SOON).min()
    }

    fn hand_over(&mut self, now: Instant) {
        while self.has_room(Lane::Slow)
            && let Some((oldest, started)) = self.in_lane(Lane::Fast).min_by_key(|(_, started)| *started)
            && started + SOON <= now
        {
            self.running.insert(oldest, (Lane::Slow, started));
        }
    }

    fn has_room(&self, lane: Lane) -> bool {
        self.in_lane(lane).count() < self.size
    }

    fn in_lane(&self, lane: Lane) -> impl Iterator<Item = (i64, Instant)> {
        self.running
            .iter()
            .filter(move |(_, (other, _))| *other == lane)
            .map(|(sensor, (_, at))| (*sensor, *at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(lanes: &mut Lanes, now: Instant) -> Vec<i64> {
        std::iter::from_fn(|| lanes.start(now)).collect()
    }

    #[tokio::test]
    async fn a_poll_that_hangs_gives_its_place_to_the_next() {
        let now = Instant::now();
        let mut lanes = Lanes::new(2);
        (1..=5).for_each(|sensor| lanes.wait(sensor, Lane::Fast));
        assert_eq!(started(&mut lanes, now), [1, 2]);
        assert_eq!(lanes.next_hand_over(), Some(now + SOON));
        assert_eq!(started(&mut lanes, now + SOON), [3, 4]);
        // Both lanes are full now: who hangs in the fast one stays there until a slow one ends.
        assert_eq!(lanes.next_hand_over(), None);
        assert!(started(&mut lanes, now + 3 * SOON).is_empty());
        lanes.leave(1);
        assert_eq!(started(&mut lanes, now + 3 * SOON), [5]);
    }

    #[tokio::test]
    async fn who_timed_out_waits_in_the_slow_lane_only() {
        let now = Instant::now();
        let mut lanes = Lanes::new(1);
        lanes.wait(1, Lane::Slow);
        lanes.wait(2, Lane::Slow);
        lanes.wait(3, Lane::Fast);
        assert_eq!(started(&mut lanes, now), [3, 1]);
        lanes.leave(3);
        assert!(started(&mut lanes, now).is_empty());
        lanes.leave(2);
        lanes.leave(1);
        assert!(started(&mut lanes, now).is_empty());
    }
}
