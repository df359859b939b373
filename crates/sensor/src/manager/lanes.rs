//! How many polls run at once, and which.
//!
//! Two lanes of the same size. A poll starts in the fast one; older than [`SOON`] it gives its place there up and goes on
//! in the slow one, as soon as that has room. A sensor that timed out before starts in the slow lane, where those may have
//! a quarter of the places. So sensors that hang wait for each other and hold up none of those that are known to be well:
//! neither for a place, nor for a warm host, of which each that hangs has one.
//!
//! Of a sensor that is new, or was failing when it was taken over, nobody knows whether it hangs. Together with those that
//! timed out such have as many places as three quarters of a lane, so that a crowd of them finds each other out in turn.
//!
//! A quarter of the fast lane is kept for sensors whose last poll was quick: however many others wait for an answer from
//! somewhere, those find a place at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

/// A poll that takes longer is slow.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// So many may hang at any rate: their hosts are no burden.
const FEW: usize = 16;
/// A poll that takes longer is not quick.
const QUICK: Duration = Duration::from_millis(100);

/// How a sensor's polls go, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pace {
    /// The last one was over at once.
    Quick,
    /// The last one took its time.
    Unsure,
    /// None was over yet, or none was good when the sensor came here.
    New,
    /// One timed out, and none has been over soon since.
    Slow,
}

impl Pace {
    /// After a poll that took so long.
    pub(super) fn after(self, took: Duration, timed_out: bool) -> Self {
        match self {
            _ if timed_out => Self::Slow,
            Self::Slow if took > SOON => Self::Slow,
            _ if took <= QUICK => Self::Quick,
            _ => Self::Unsure,
        }
    }
}

/// Who runs and who waits.
#[derive(Debug)]
pub(super) struct Lanes {
    size: usize,
    running: HashMap<i64, (Pace, Instant)>,
    /// Who of them has a place in the fast lane, the longest there first.
    fast: BTreeSet<(Instant, i64)>,
    /// As many of the fast lane are not known to be quick.
    unsure: usize,
    /// As many timed out before.
    slow: usize,
    /// As many are new.
    new: usize,
    /// The number that each drew who waits.
    waiting: HashMap<i64, (Pace, u64)>,
    queues: [BTreeMap<u64, i64>; 4],
    drawn: u64,
}

impl Lanes {
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            running: HashMap::new(),
            fast: BTreeSet::new(),
            unsure: 0,
            slow: 0,
            new: 0,
            waiting: HashMap::new(),
            queues: Default::default(),
            drawn: 0,
        }
    }

    /// A sensor waits for a place.
    pub(super) fn wait(&mut self, sensor: i64, pace: Pace) {
        self.drawn += 1;
        self.queues[pace as usize].insert(self.drawn, sensor);
        if let Some((pace, number)) = self.waiting.insert(sensor, (pace, self.drawn)) {
            self.queues[pace as usize].remove(&number);
        }
    }

    /// A sensor waits no longer, and its poll, if any, is over.
    pub(super) fn leave(&mut self, sensor: i64) {
        if let Some((pace, number)) = self.waiting.remove(&sensor) {
            self.queues[pace as usize].remove(&number);
        }
        if let Some((pace, started)) = self.running.remove(&sensor) {
            self.slow -= usize::from(pace == Pace::Slow);
            self.new -= usize::from(pace == Pace::New);
            self.leave_fast_lane(sensor, pace, started);
        }
    }

    /// Gives a place to who has waited longest for one that is free.
    pub(super) fn start(&mut self, now: Instant) -> Option<i64> {
        self.hand_over(now);
        let (number, pace) = self.next()?;
        let sensor = self.queues[pace as usize].remove(&number)?;
        self.waiting.remove(&sensor);
        self.running.insert(sensor, (pace, now));
        self.new += usize::from(pace == Pace::New);
        if pace == Pace::Slow {
            self.slow += 1;
        } else {
            self.fast.insert((now, sensor));
            self.unsure += usize::from(pace != Pace::Quick);
        }
        Some(sensor)
    }

    /// When a poll may next give up its place in the fast lane for somebody who waits.
    pub(super) fn next_hand_over(&self) -> Option<Instant> {
        let waits = |pace: Pace| !self.queues[pace as usize].is_empty();
        let is_wanted =
            [Pace::Quick, Pace::Unsure, Pace::New].map(waits).contains(&true) && self.has_slow_room();
        let (started, _) = self.fast.first().filter(|_| is_wanted)?;
        Some(*started + SOON)
    }

    fn next(&self) -> Option<(u64, Pace)> {
        let fast = self.fast.len() < self.size;
        let unsure = fast && self.unsure < self.size - self.size / 4;
        let unknown = self.new + self.slow < (self.size - self.size / 4).max(FEW);
        let slow = unknown && self.has_slow_room() && self.slow < self.size.div_ceil(4);
        [(Pace::Quick, fast), (Pace::Unsure, unsure), (Pace::New, unsure && unknown), (Pace::Slow, slow)]
            .into_iter()
            .filter(|(_, has_room)| *has_room)
            .filter_map(|(pace, _)| Some((*self.queues[pace as usize].first_key_value()?.0, pace)))
            .min()
    }

    fn hand_over(&mut self, now: Instant) {
        while self.has_slow_room()
            && let Some((started, sensor)) = self.fast.first().copied()
            && started + SOON <= now
            && let Some((pace, _)) = self.running.get(&sensor).copied()
        {
            self.leave_fast_lane(sensor, pace, started);
        }
    }

    fn leave_fast_lane(&mut self, sensor: i64, pace: Pace, started: Instant) {
        if self.fast.remove(&(started, sensor)) {
            self.unsure -= usize::from(pace != Pace::Quick);
        }
    }

    fn has_slow_room(&self) -> bool {
        self.running.len() - self.fast.len() < self.size
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
        (1..=5).for_each(|sensor| lanes.wait(sensor, Pace::Unsure));
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
        lanes.wait(1, Pace::Slow);
        lanes.wait(2, Pace::Slow);
        lanes.wait(3, Pace::Unsure);
        assert_eq!(started(&mut lanes, now), [1, 3]);
        lanes.leave(3);
        assert!(started(&mut lanes, now).is_empty());
        lanes.leave(2);
        lanes.leave(1);
        assert!(started(&mut lanes, now).is_empty());
    }

    #[tokio::test]
    async fn who_timed_out_has_a_quarter_of_the_slow_lane() {
        let now = Instant::now();
        let mut lanes = Lanes::new(4);
        (1..=2).for_each(|sensor| lanes.wait(sensor, Pace::Slow));
        assert_eq!(started(&mut lanes, now), [1]);
        lanes.leave(1);
        assert_eq!(started(&mut lanes, now), [2]);
        // The rest is for those that are about to show that they are slow.
        (4..=9).for_each(|sensor| lanes.wait(sensor, Pace::Quick));
        assert_eq!(started(&mut lanes, now), [4, 5, 6, 7]);
        assert_eq!(started(&mut lanes, now + SOON), [8, 9]);
    }

    #[tokio::test]
    async fn new_ones_that_hang_leave_room_for_those_that_are_known() {
        let now = Instant::now();
        let mut lanes = Lanes::new(24);
        (1..=30).for_each(|sensor| lanes.wait(sensor, Pace::New));
        assert_eq!(started(&mut lanes, now), (1..=18).collect::<Vec<_>>());
        assert!(started(&mut lanes, now + SOON).is_empty());
        lanes.wait(31, Pace::Unsure);
        assert_eq!(started(&mut lanes, now + SOON), [31]);
        lanes.leave(1);
        assert_eq!(started(&mut lanes, now + SOON), [19]);
        // One that timed out counts like them.
        lanes.wait(32, Pace::Slow);
        (19..=30).for_each(|sensor| lanes.leave(sensor));
        assert_eq!(started(&mut lanes, now + 2 * SOON), [32]);
        lanes.wait(20, Pace::New);
        assert!(started(&mut lanes, now + 2 * SOON).is_empty());
    }

    #[tokio::test]
    async fn a_few_may_hang_however_small_the_lanes_are() {
        let now = Instant::now();
        let mut lanes = Lanes::new(10);
        (1..=20).for_each(|sensor| lanes.wait(sensor, Pace::New));
        assert_eq!(started(&mut lanes, now).len(), 8);
        assert_eq!(started(&mut lanes, now + SOON).len(), 8);
        assert!(started(&mut lanes, now + 2 * SOON).is_empty());
    }

    #[tokio::test]
    async fn quick_ones_find_a_place_when_all_others_hang() {
        let now = Instant::now();
        let mut lanes = Lanes::new(4);
        (1..=20).for_each(|sensor| lanes.wait(sensor, Pace::Unsure));
        assert_eq!(started(&mut lanes, now), [1, 2, 3]);
        assert_eq!(started(&mut lanes, now + SOON), [4, 5, 6]);
        assert_eq!(started(&mut lanes, now + 2 * SOON), [7]);
        lanes.wait(21, Pace::Quick);
        assert_eq!(started(&mut lanes, now + 9 * SOON), [21]);
        lanes.leave(21);
        lanes.wait(22, Pace::Quick);
        assert_eq!(started(&mut lanes, now + 9 * SOON), [22]);
    }

    #[tokio::test]
    async fn who_waits_twice_starts_once() {
        let now = Instant::now();
        let mut lanes = Lanes::new(8);
        lanes.wait(1, Pace::Unsure);
        lanes.wait(1, Pace::Quick);
        assert_eq!(started(&mut lanes, now), [1]);
    }

    #[test]
    fn one_time_out_is_remembered_until_a_poll_is_over_soon() {
        let (quick, late) = (Duration::from_millis(5), 2 * SOON);
        assert_eq!(Pace::Unsure.after(quick, false), Pace::Quick);
        assert_eq!(Pace::Quick.after(QUICK * 2, false), Pace::Unsure);
        assert_eq!(Pace::Unsure.after(late, false), Pace::Unsure);
        assert_eq!(Pace::Quick.after(late, true).after(late, false), Pace::Slow);
        assert_eq!(Pace::Slow.after(SOON, false), Pace::Unsure);
    }
}
