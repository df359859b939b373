//! When a polled sensor ticks: at moments that are one interval apart, and what becomes of those that passed while it could
//! not be polled: its last poll still ran, no place was free, or its worker was away.
//!
//! Nothing but a failure or a change of the sensor moves the moments. What moves a tick at random moves it alone, and a poll
//! that makes up for others, or that somebody asked for, comes between.

use std::time::Duration;

use attune_core::schedule::{GRACE, Policy};
use tokio::time::Instant;

/// What a sensor wants of its ticks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// From one moment to the next.
    pub(super) interval: Duration,
    /// How far behind its moment a tick may come, at random.
    pub(super) jitter: Duration,
    /// What becomes of those that passed.
    pub(super) missed: Policy,
}

/// The ticks of one sensor.
#[derive(Debug)]
pub(super) struct Rhythm {
    /// The moment of the next tick.
    next: Instant,
    /// The part of the jitter by which that tick is moved, once it was drawn.
    moved: Option<f64>,
    /// Polls that make up for ticks that passed, still to come.
    owed: u32,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The next tick, at this time.
    Tick(Instant),
    /// A poll that makes up for one that passed, as soon as there is a place.
    MakeUp,
}

impl Rhythm {
    /// The first moment is this.
    pub(super) fn from(next: Instant) -> Self {
        Self { next, moved: None, owed: 0 }
    }

    /// Goes on with the rhythm of a sensor that last ticked `idle` ago, and then owed so many polls. Returns the ticks that are
    /// left out. The newest of those that passed is no more than late as long as the grace lasts: somebody else takes over.
    pub(super) fn resume(idle: Duration, owed: u32, wish: Wish, now: Instant) -> (Self, u64) {
        let (passed, late) = divide(idle, wish.interval);
        let is_late = passed > 0 && late <= GRACE.to_std().unwrap_or_default();
        let waiting = passed.saturating_add(owed.into());
        let owed = wish.missed.makes_up(waiting).max(is_late.into());
        let next = now + wish.interval.saturating_sub(late);
        (Self { owed, ..Self::from(next) }, waiting - u64::from(owed))
    }

    /// The moments are counted anew from this one. What is owed stays that.
    pub(super) fn restart(&mut self, next: Instant) {
        (self.next, self.moved) = (next, None);
    }

    /// A tick begins: the next one is one interval later.
    pub(super) fn tick(&mut self, interval: Duration) {
        self.restart(self.next + interval);
    }

    /// A poll begins that makes up for one.
    pub(super) fn make_up(&mut self) {
        self.owed = self.owed.saturating_sub(1);
    }

    /// What comes next, with a `random` from 0 to 1, and how many of the ticks that passed are left out. A tick that was moved
    /// stays there, whatever comes between.
    pub(super) fn step(&mut self, wish: Wish, random: f64, now: Instant) -> (Step, u64) {
        let moved = wish.jitter.min(wish.interval).mul_f64(*self.moved.get_or_insert(random));
        let mut waiting = u64::from(self.owed);
        if let Some(late) = now.checked_duration_since(self.next + moved) {
            let (passed, rest) = divide(late, wish.interval);
            self.next += late.saturating_sub(rest) + wish.interval;
            waiting = waiting.saturating_add(passed).saturating_add(1);
        }
        self.owed = wish.missed.makes_up(waiting);
        let step = if self.owed > 0 { Step::MakeUp } else { Step::Tick(self.next + moved) };
        (step, waiting - u64::from(self.owed))
    }

    /// Polls that make up for ticks that passed, still to come.
    pub(super) fn owed(&self) -> u32 {
        self.owed
    }
}

/// How many whole intervals are in a time, and the rest.
pub(super) fn divide(time: Duration, interval: Duration) -> (u64, Duration) {
    let interval = interval.as_nanos().max(1);
    let rest = u64::try_from(time.as_nanos() % interval).unwrap_or(u64::MAX);
    (u64::try_from(time.as_nanos() / interval).unwrap_or(u64::MAX), Duration::from_nanos(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn wish(missed: Policy) -> Wish {
        Wish { interval: 10 * SECOND, jitter: Duration::ZERO, missed }
    }

    /// Begins each step until a tick lies ahead of `now`. Returns how many polls made up for something, how many ticks were
    /// left out, and the tick.
    fn catch_up(rhythm: &mut Rhythm, wish: Wish, now: Instant) -> (u64, u64, Instant) {
        let (mut made_up, mut missed) = (0, 0);
        loop {
            let (step, left_out) = rhythm.step(wish, 0.0, now);
            missed += left_out;
            match step {
                Step::Tick(at) => return (made_up, missed, at),
                Step::MakeUp => {
                    rhythm.make_up();
                    made_up += 1;
                }
            }
        }
    }

    #[tokio::test]
    async fn what_passed_is_left_out_or_made_up_for_and_the_moments_stay() {
        let due = Instant::now();
        for (policy, polls) in [(Policy::Skip, 0), (Policy::Once, 1), (Policy::All, 3)] {
            let mut rhythm = Rhythm::from(due);
            rhythm.tick(10 * SECOND);
            let caught_up = catch_up(&mut rhythm, wish(policy), due + 35 * SECOND);
            assert_eq!(caught_up, (polls, 3 - polls, due + 40 * SECOND), "{policy:?}");
        }
    }

    #[tokio::test]
    async fn a_tick_that_lies_ahead_stays_whatever_comes_between() {
        let due = Instant::now();
        let mut rhythm = Rhythm::from(due);
        let ahead = (Step::Tick(due), 0);
        let before = due.checked_sub(SECOND).unwrap();
        assert_eq!(rhythm.step(wish(Policy::All), 0.0, before), ahead);
        assert_eq!(rhythm.step(wish(Policy::All), 0.0, before), ahead);
    }

    #[tokio::test]
    async fn a_tick_is_moved_once_so_that_a_poll_before_it_does_not_lose_it() {
        let due = Instant::now();
        let mut rhythm = Rhythm::from(due);
        let wish = Wish { jitter: 10 * SECOND, ..wish(Policy::Skip) };
        let ahead = (Step::Tick(due + 8 * SECOND), 0);
        assert_eq!(rhythm.step(wish, 0.8, due), ahead);
        assert_eq!(rhythm.step(wish, 0.2, due + 5 * SECOND), ahead);
        rhythm.tick(wish.interval);
        assert_eq!(rhythm.step(wish, 0.2, due + 9 * SECOND), (Step::Tick(due + 12 * SECOND), 0));
    }

    #[tokio::test]
    async fn after_an_outage_it_goes_on_in_step() {
        let now = Instant::now();
        let (late, away) = (3607 * SECOND, 3613 * SECOND);
        let wish = |missed| Wish { interval: 60 * SECOND, jitter: Duration::ZERO, missed };
        // Thirteen seconds behind the newest, so that it is missed; then seven, so that it is late.
        for (idle, policy, polls, missed) in [
            (away, Policy::Skip, 0, 60),
            (away, Policy::Once, 1, 59),
            (away, Policy::All, 60, 0),
            (away * 2, Policy::All, 100, 20),
            (late, Policy::Skip, 1, 59),
            (late, Policy::Once, 1, 59),
        ] {
            let (mut rhythm, left_out) = Rhythm::resume(idle, 0, wish(policy), now);
            let mut made_up = 0;
            while rhythm.owed() > 0 {
                rhythm.make_up();
                made_up += 1;
            }
            let (step, _) = rhythm.step(wish(policy), 0.0, now);
            let rest = divide(idle, 60 * SECOND).1;
            assert_eq!((made_up, left_out), (polls, missed), "{idle:?} {policy:?}");
            assert_eq!(step, Step::Tick(now + (60 * SECOND).saturating_sub(rest)));
        }
        assert_eq!(Rhythm::resume(9 * SECOND, 0, wish(Policy::All), now).1, 0);
        assert_eq!(Rhythm::resume(9 * SECOND, 70, wish(Policy::All), now).0.owed(), 70);
    }

    proptest! {
        /// Each tick lies within its own interval, however it was moved and however long polls take, so nothing drifts, and
        /// each moment was ticked, made up for, or counted as missed.
        #[test]
        fn moved_ticks_do_not_drift_and_none_is_forgotten(
            jitter in 0..=10_u64, polls in prop::collection::vec((0.0..1.0, 0..25_000_u64), 1..60), which in 0..3_usize,
        ) {
            let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _entered = tokio.enter();
            let wish = Wish { interval: 10 * SECOND, jitter: Duration::from_secs(jitter), missed: Policy::ALL[which] };
            let start = Instant::now();
            let (mut rhythm, mut now, mut counted) = (Rhythm::from(start), start, 1);
            rhythm.tick(wish.interval);
            for (random, took) in polls {
                let (step, missed) = rhythm.step(wish, random, now);
                counted += missed;
                match step {
                    Step::Tick(at) => {
                        let (index, behind) = divide(at - start, wish.interval);
                        prop_assert!(at > now && behind <= wish.jitter);
                        prop_assert_eq!(index, counted);
                        now = at;
                        rhythm.tick(wish.interval);
                    }
                    Step::MakeUp => rhythm.make_up(),
                }
                counted += 1;
                now += Duration::from_millis(took);
            }
        }
    }
}
