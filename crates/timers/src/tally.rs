//! What timers did and nobody wrote down yet.
//!
//! One row for each timer that fired, written together after some seconds: a timer of each second costs a row in ten. What
//! was missed is rare and is written at once, so that services that missed the same instants do not both count them.

use std::collections::HashMap;

use attune_common::repositories::timer::{self, Tallies};
use attune_core::schedule::Due;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

/// How long figures may wait.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// What one timer did.
#[derive(Debug, Default)]
struct Entry {
    handled: DateTime<Utc>,
    last: Option<DateTime<Utc>>,
    fired: i64,
    missed: i64,
}

/// What all did.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    entries: HashMap<i64, Entry>,
    /// When the oldest of them was noted.
    since: Option<DateTime<Utc>>,
    is_urgent: bool,
}

impl Tally {
    /// Notes what a timer did, of which `fired` events were new. When none was, somebody else was faster, and counts what
    /// was missed before.
    pub(crate) fn note(&mut self, id: i64, due: &Due, fired: usize, now: DateTime<Utc>) {
        let missed = if fired == 0 && !due.fire.is_empty() { 0 } else { due.missed };
        self.since.get_or_insert(now);
        self.is_urgent |= missed > 0;
        let entry = self.entries.entry(id).or_default();
        entry.handled = due.newest.unwrap_or(now);
        entry.last = due.fire.last().copied().max(entry.last);
        entry.fired = entry.fired.saturating_add(i64::try_from(fired).unwrap_or(i64::MAX));
        entry.missed = entry.missed.saturating_add(i64::try_from(missed).unwrap_or(i64::MAX));
    }

    /// Writes it down if it has waited for long enough, or `must`.
    pub(crate) async fn write(&mut self, pool: &PgPool, done: DateTime<Utc>, must: bool) -> sqlx::Result<()> {
        let is_ripe = self.since.is_some_and(|since| done - since >= PATIENCE || done < since);
        if self.since.is_none() || !(is_ripe || must || self.is_urgent) {
            return Ok(());
        }
        let mut tallies = Tallies::default();
        for (id, entry) in &self.entries {
            tallies.timer.push(*id);
            tallies.handled.push(entry.handled);
            tallies.last.push(entry.last);
            tallies.fired.push(entry.fired);
            tallies.missed.push(entry.missed);
        }
        timer::record(pool, &tallies, done).await?;
        *self = Self::default();
        Ok(())
    }
}
