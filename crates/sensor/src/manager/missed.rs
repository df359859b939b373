//! What became of missed ticks, counted here and written by and by. A kill takes some seconds of it along.

use std::collections::HashMap;

use attune_common::repositories::missed_tick::MissedColumns;

/// What became of the missed ticks of each sensor since it was last written.
#[derive(Debug, Default)]
pub(super) struct MissedTicks(HashMap<i64, Tally>);

#[derive(Debug, Default)]
struct Tally {
    epoch: i64,
    missed: u64,
    made_up: i64,
    owed: u32,
}

impl MissedTicks {
    /// So many were left out, and so many are still to be made up for.
    pub(super) fn left_out(&mut self, sensor: i64, epoch: i64, missed: u64, owed: u32) {
        if missed > 0 || owed > 0 {
            let tally = self.tally(sensor, epoch, owed);
            tally.missed = tally.missed.saturating_add(missed);
        }
    }

    /// One was made up for.
    pub(super) fn made_up(&mut self, sensor: i64, epoch: i64, owed: u32) {
        self.tally(sensor, epoch, owed).made_up += 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all of it.
    pub(super) fn take(&mut self) -> Option<MissedColumns> {
        let mut columns = MissedColumns::default();
        for (sensor, tally) in self.0.drain() {
            columns.sensor.push(sensor);
            columns.epoch.push(tally.epoch);
            columns.missed.push(i64::try_from(tally.missed).unwrap_or(i64::MAX));
            columns.made_up.push(tally.made_up);
            columns.owed.push(i32::try_from(tally.owed).unwrap_or(i32::MAX));
        }
        (!columns.sensor.is_empty()).then_some(columns)
    }

    /// Under another epoch it begins anew.
    fn tally(&mut self, sensor: i64, epoch: i64, owed: u32) -> &mut Tally {
        let tally = self.0.entry(sensor).or_default();
        if tally.epoch != epoch {
            *tally = Tally { epoch, ..Tally::default() };
        }
        tally.owed = owed;
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_under_one_epoch_and_taken_once() {
        let mut ticks = MissedTicks::default();
        ticks.left_out(7, 1, 0, 0);
        assert!(ticks.take().is_none());
        ticks.left_out(7, 1, 9, 0);
        ticks.left_out(7, 2, 3, 2);
        ticks.made_up(7, 2, 1);
        let columns = ticks.take().unwrap();
        assert_eq!((columns.epoch, columns.missed), (vec![2], vec![3]));
        assert_eq!((columns.made_up, columns.owed), (vec![1], vec![1]));
        assert!(ticks.take().is_none());
    }
}
