//! Polls that gave no event, collected and written together.
//!
//! Such a poll leaves behind that it took place, and perhaps a new state. Of those there are thousands a second, so they are
//! kept here and go into the database in one statement, each half second and before a sensor is given back. A crash costs
//! at most that: the sensor begins again with a state that is a moment old, and no event depends on what was lost, because
//! events are committed at once, together with all that their sensor did before.
//!
//! # Order
//! What is kept here is older than whatever its sensor writes next. So who is about to write a sensor's row first takes its
//! part out ([`Ticks::take`]), which waits for a flush that carries it, and writes both together, or puts it back.
//!
//! # Failure
//! A flush that failed is kept and tried again. Nobody knows whether it may not still take place, so it names, beside the
//! epoch, the number of polls that the row must have: after anything else was written, a late one finds another number and
//! changes nothing. For whom it changed nothing, the epoch or the row moved on without this worker: it forgets the sensor
//! and reads it again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use attune_common::repositories::sensor_state::{self, TickColumns};
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::Instant;

use super::missed::MissedTicks;
use crate::generator::millis;
use crate::timeline::Timeline;

/// Polls of one sensor that are not written yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// The fence.
    pub(crate) epoch: i64,
    /// `polls` in the row before the first of them.
    pub(crate) base: i64,
    /// As many they are.
    pub(crate) polls: i64,
    /// What the sensor remembers since; `None`: what the row says.
    pub(crate) state: Option<Arc<Value>>,
    /// When the last of them ended.
    pub(crate) at: Instant,
    /// How late it had started.
    pub(crate) lateness: Duration,
    /// Whether one of them said that it reached its source.
    pub(crate) contact: bool,
    /// What the timeline shows of them.
    pub(crate) timeline: Timeline,
}

/// The polls of one worker that are not written yet.
#[derive(Debug)]
pub(crate) struct Ticks {
    pool: PgPool,
    kept: Mutex<Kept>,
    /// Held during a flush.
    flushing: tokio::sync::Mutex<()>,
    /// What became of those that were missed.
    missed: Arc<MissedTicks>,
}

#[derive(Debug, Default)]
struct Kept {
    waiting: HashMap<i64, Tick>,
    under_way: HashMap<i64, Tick>,
    /// Sensor and epoch of what could not be written.
    lost: Vec<(i64, i64)>,
}

impl Ticks {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, kept: Mutex::default(), flushing: tokio::sync::Mutex::default(), missed: Arc::default() }
    }

    /// Keeps a tick for the next flush, or puts one back that could not be written.
    pub(crate) fn keep(&self, sensor: i64, tick: Tick) {
        self.kept().add(sensor, tick);
    }

    /// Takes out what is not written of a sensor. Nothing that was kept before is written after this.
    pub(crate) async fn take(&self, sensor: i64) -> Option<Tick> {
        loop {
            {
                let mut kept = self.kept();
                if !kept.under_way.contains_key(&sensor) {
                    return kept.waiting.remove(&sensor);
                }
            }
            let _until_then = self.flushing.lock().await;
            // Of a flush that was dropped in the middle.
            self.kept().restore();
        }
    }

    /// Writes all that is known of ticks: so that a sensor's row, read after this, is as this worker knows it.
    pub(super) async fn flush_all(&self) -> sqlx::Result<()> {
        self.flush().await?;
        self.missed.write(&self.pool).await
    }

    pub(super) fn missed(&self) -> &Arc<MissedTicks> {
        &self.missed
    }

    /// Writes all that is kept.
    pub(crate) async fn flush(&self) -> sqlx::Result<()> {
        let _one_at_a_time = self.flushing.lock().await;
        let columns = self.kept().begin();
        if columns.sensor.is_empty() {
            return Ok(());
        }
        let written = sensor_state::write_ticks(&self.pool, &columns).await;
        let mut kept = self.kept();
        match written {
            Ok(written) => {
                kept.end(&written);
                Ok(())
            }
            Err(error) => {
                kept.restore();
                Err(error)
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept().waiting.is_empty()
    }

    /// Whose row is not what this worker thought: sensor and epoch.
    pub(super) fn take_lost(&self) -> Vec<(i64, i64)> {
        std::mem::take(&mut self.kept().lost)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, sensor: i64, tick: Tick) {
        let both = match self.waiting.remove(&sensor) {
            Some(other) if other.epoch == tick.epoch => other.and(tick),
            Some(other) if other.epoch > tick.epoch => other,
            _ => tick,
        };
        self.waiting.insert(sensor, both);
    }

    fn begin(&mut self) -> TickColumns {
        self.restore();
        self.under_way = std::mem::take(&mut self.waiting);
        let mut columns = TickColumns::default();
        for (sensor, tick) in &self.under_way {
            columns.sensor.push(*sensor);
            columns.epoch.push(tick.epoch);
            columns.base.push(tick.base);
            columns.polls.push(tick.polls);
            columns.state.push(tick.state.as_ref().map(ToString::to_string));
            columns.age.push(tick.at.elapsed().as_secs_f64());
            columns.lateness_ms.push(millis(tick.lateness));
            columns.contact.push(tick.contact);
            columns.ticks.push(tick.timeline.to_text());
        }
        columns
    }

    fn end(&mut self, written: &[i64]) {
        let mut left = std::mem::take(&mut self.under_way);
        for sensor in written {
            left.remove(sensor);
        }
        self.lost.extend(left.into_iter().map(|(sensor, tick)| (sensor, tick.epoch)));
    }

    /// What was under way waits again.
    fn restore(&mut self) {
        for (sensor, tick) in std::mem::take(&mut self.under_way) {
            self.add(sensor, tick);
        }
    }
}

impl Tick {
    /// Both of one sensor and epoch, as one.
    fn and(self, other: Self) -> Self {
        let (older, newer) = if self.base <= other.base { (self, other) } else { (other, self) };
        Self {
            base: older.base,
            polls: older.polls + newer.polls,
            state: newer.state.clone().or(older.state),
            contact: newer.contact || older.contact,
            timeline: newer.timeline.clone().after(older.timeline),
            ..newer
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tick(base: i64, state: Option<i64>) -> Tick {
        Tick {
            epoch: 1,
            base,
            polls: 1,
            state: state.map(|state| Arc::new(json!(state))),
            at: Instant::now(),
            lateness: Duration::ZERO,
            contact: false,
            timeline: Timeline::default(),
        }
    }

    #[tokio::test]
    async fn ticks_of_a_sensor_become_one_whatever_their_order() {
        let (older, newer) = (tick(4, Some(1)), tick(5, Some(2)));
        for (first, second) in [(older.clone(), newer.clone()), (newer.clone(), older.clone())] {
            let mut kept = Kept::default();
            kept.add(7, first);
            kept.add(7, second);
            let both = &kept.waiting[&7];
            assert_eq!((both.base, both.polls, &both.state), (4, 2, &newer.state));
        }
        assert_eq!(older.clone().and(tick(5, None)).state, older.state);
    }

    #[tokio::test]
    async fn a_flush_that_failed_is_kept_below_what_came_meanwhile() {
        let mut kept = Kept::default();
        kept.add(7, tick(4, Some(1)));
        assert_eq!(kept.begin().base, [4]);
        kept.add(7, tick(5, Some(2)));
        kept.restore();
        let columns = kept.begin();
        assert_eq!(
            (columns.base, columns.polls, columns.state),
            (vec![4], vec![2], vec![Some("2".to_owned())])
        );
    }

    #[tokio::test]
    async fn who_was_not_written_is_lost() {
        let mut kept = Kept::default();
        kept.add(7, tick(4, None));
        kept.add(8, tick(4, None));
        kept.begin();
        kept.end(&[8]);
        assert_eq!(kept.lost, [(7, 1)]);
        assert!(kept.under_way.is_empty() && kept.waiting.is_empty());
    }

    #[tokio::test]
    async fn another_epoch_starts_anew() {
        let mut kept = Kept::default();
        kept.add(7, tick(4, Some(1)));
        kept.add(7, Tick { epoch: 2, ..tick(9, None) });
        kept.add(7, tick(5, Some(2)));
        assert_eq!(kept.waiting[&7].base, 9);
        assert_eq!(kept.waiting[&7].state, None);
    }
}
