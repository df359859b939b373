//! What became of missed ticks, counted here and written by and by, and before a sensor is given back. A kill takes some
//! seconds of it along.
//!
//! How many were left out or made up for is added up, but what is owed is written as it is, and decides polls: an older one
//! must not land on a newer. So there is one write at a time, of all that there is by then. What could not be written is kept
//! for the next time; should it be in nevertheless, it is counted twice.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use attune_common::repositories::missed_tick::{self, MissedColumns};
use sqlx::PgPool;

/// What became of the missed ticks of each sensor since it was last written.
#[derive(Debug, Default)]
pub(super) struct MissedTicks {
    tallies: Mutex<Tallies>,
    /// Held during a write.
    writing: tokio::sync::Mutex<()>,
}

type Tallies = HashMap<i64, Tally>;

#[derive(Debug, Default, PartialEq)]
struct Tally {
    epoch: i64,
    missed: u64,
    made_up: i64,
    owed: u32,
}

impl MissedTicks {
    /// So many were left out, and so many are still to be made up for.
    pub(super) fn left_out(&self, sensor: i64, epoch: i64, missed: u64, owed: u32) {
        if missed > 0 || owed > 0 {
            self.tallies().entry(sensor).or_default().add(Tally { epoch, missed, made_up: 0, owed });
        }
    }

    /// One was made up for.
    pub(super) fn made_up(&self, sensor: i64, epoch: i64, owed: u32) {
        self.tallies().entry(sensor).or_default().add(Tally { epoch, missed: 0, made_up: 1, owed });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tallies().is_empty()
    }

    /// Writes all of it.
    pub(super) async fn write(&self, pool: &PgPool) -> sqlx::Result<()> {
        let _one_at_a_time = self.writing.lock().await;
        let taken = self.take();
        if taken.is_empty() {
            return Ok(());
        }
        missed_tick::write(pool, &columns(&taken)).await.inspect_err(|_| self.put_back(taken))
    }

    fn take(&self) -> Tallies {
        std::mem::take(&mut self.tallies())
    }

    /// Below what came meanwhile.
    fn put_back(&self, taken: Tallies) {
        let mut tallies = self.tallies();
        for (sensor, newer) in std::mem::replace(&mut *tallies, taken) {
            tallies.entry(sensor).or_default().add(newer);
        }
    }

    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// What is owed is what is known last. Under another epoch it begins anew.
    fn add(&mut self, newer: Self) {
        if self.epoch != newer.epoch {
            *self = newer;
            return;
        }
        self.missed = self.missed.saturating_add(newer.missed);
        self.made_up += newer.made_up;
        self.owed = newer.owed;
    }
}

fn columns(tallies: &Tallies) -> MissedColumns {
    let mut columns = MissedColumns::default();
    for (sensor, tally) in tallies {
        columns.sensor.push(*sensor);
        columns.epoch.push(tally.epoch);
        columns.missed.push(i64::try_from(tally.missed).unwrap_or(i64::MAX));
        columns.made_up.push(tally.made_up);
        columns.owed.push(i32::try_from(tally.owed).unwrap_or(i32::MAX));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_under_one_epoch_and_taken_once() {
        let ticks = MissedTicks::default();
        ticks.left_out(7, 1, 0, 0);
        assert!(ticks.take().is_empty());
        ticks.left_out(7, 1, 9, 0);
        ticks.left_out(7, 2, 3, 2);
        ticks.made_up(7, 2, 1);
        let columns = columns(&ticks.take());
        assert_eq!((columns.epoch, columns.missed), (vec![2], vec![3]));
        assert_eq!((columns.made_up, columns.owed), (vec![1], vec![1]));
        assert!(ticks.is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_kept_below_what_came_meanwhile() {
        let ticks = MissedTicks::default();
        ticks.left_out(7, 1, 3, 2);
        ticks.left_out(8, 1, 5, 0);
        let taken = ticks.take();
        ticks.made_up(7, 1, 1);
        ticks.left_out(8, 2, 1, 0);
        ticks.put_back(taken);
        let kept = ticks.take();
        assert_eq!(kept[&7], Tally { epoch: 1, missed: 3, made_up: 1, owed: 1 });
        assert_eq!(kept[&8], Tally { epoch: 2, missed: 1, made_up: 0, owed: 0 });
    }
}
