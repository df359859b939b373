//! One timer that enabled rules ask for, and how far it is.

use attune_common::repositories::timer::TimerRow;
use attune_core::schedule::{Due, Timer};
use chrono::{DateTime, TimeDelta, Utc};

use crate::rules::Name;

/// By how much the clock of another service may be ahead.
pub(crate) const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// A live timer.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) id: i64,
    pub(crate) name: Name,
    pub(crate) timer: Timer,
    anchor: DateTime<Utc>,
    /// Every instant until here was fired or counted.
    done: DateTime<Utc>,
    /// The first one after it.
    next: Option<DateTime<Utc>>,
}

impl Live {
    /// A timer that goes on from where its row says it is. What was before `from` is known to be done.
    pub(crate) fn new(
        name: Name,
        timer: Timer,
        row: &TimerRow,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        // What lies far in the future was written by a wrong clock.
        let known = [row.since, row.handled].into_iter().filter(|instant| *instant <= now + AHEAD).max();
        let done = known.map_or(from, |known| known.max(from));
        let next = timer.next_after(row.anchor, done);
        Self { id: row.id, name, timer, anchor: row.anchor, done, next }
    }

    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.next
    }

    pub(crate) fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// What is to be done now.
    pub(crate) fn due(&self, now: DateTime<Utc>) -> Due {
        self.timer.due(self.anchor, self.done, now)
    }

    /// Everything until `done` was fired or counted, here or by another service.
    pub(crate) fn go_on(&mut self, done: DateTime<Utc>) {
        if done > self.done {
            self.set(done);
        }
    }

    /// The clock went back to `now`.
    pub(crate) fn rewind(&mut self, now: DateTime<Utc>) {
        if now < self.done {
            self.set(now);
        }
    }

    fn set(&mut self, done: DateTime<Utc>) {
        self.done = done;
        self.next = self.timer.next_after(self.anchor, done);
    }
}
