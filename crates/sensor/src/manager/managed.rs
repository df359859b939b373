//! One sensor that runs here: what is known of it between its turns.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::sensor_state::Owned;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agenda::{in_step, second_gap};
use super::lanes::Pace;
use super::turn::Turn;
use crate::definition::Sensor;

/// A sensor that runs here.
#[derive(Debug)]
pub(super) struct Managed {
    pub(super) sensor: Arc<Sensor>,
    pub(super) epoch: i64,
    /// What it remembers.
    pub(super) state: Arc<Value>,
    /// Failures in a row.
    pub(super) failures: i32,
    /// Polls so far, those that are not written yet among them.
    pub(super) polls: i64,
    pub(super) pace: Pace,
    /// When its current or last tick was due.
    pub(super) due: Instant,
    /// Its ticks have not found their place in its interval yet.
    pub(super) is_new: bool,
    /// Its poll, while there is one.
    pub(super) poll: Option<Poll>,
    /// It was edited during its poll, so that it is due again right after it.
    pub(super) is_edited: bool,
    /// It is given back as soon as its poll is over.
    pub(super) is_leaving: bool,
}

#[derive(Debug)]
pub(super) struct Poll {
    pub(super) stop: CancellationToken,
    pub(super) started: Instant,
}

impl Managed {
    /// One that was never polled here.
    pub(super) fn new(sensor: Arc<Sensor>, owned: Owned, now: Instant) -> Self {
        Self {
            sensor,
            epoch: owned.epoch,
            state: Arc::new(owned.state),
            failures: owned.failures,
            polls: owned.polls,
            pace: Pace::Unsure,
            due: now,
            is_new: true,
            poll: None,
            is_edited: false,
            is_leaving: false,
        }
    }

    /// Whether it may expect to be polled in time.
    pub(super) fn is_healthy(&self) -> bool {
        self.failures == 0 && self.pace != Pace::Slow
    }

    /// Its poll starts, so late.
    pub(super) fn begin(&mut self, lateness: Duration, now: Instant) -> Turn {
        let stop = CancellationToken::new();
        self.poll = Some(Poll { stop: stop.clone(), started: now });
        Turn {
            sensor: Arc::clone(&self.sensor),
            epoch: self.epoch,
            state: Arc::clone(&self.state),
            failures: self.failures,
            polls: self.polls,
            lateness,
            started: now,
            stop,
        }
    }

    /// After a good poll. Returns when the next tick is.
    pub(super) fn go_on(
        &mut self,
        state: Arc<Value>,
        took: Duration,
        poll_interval: Duration,
        now: Instant,
    ) -> Instant {
        (self.state, self.failures, self.polls) = (state, 0, self.polls + 1);
        self.pace = self.pace.after(took, false);
        let interval = self.interval(poll_interval);
        let is_first = std::mem::take(&mut self.is_new);
        let gap = if is_first { second_gap(self.sensor.row.id, interval) } else { interval };
        in_step(self.due + gap, interval, now)
    }

    /// After a failed one. Returns when it is tried again.
    pub(super) fn fail(
        &mut self,
        retry_in: Duration,
        took: Duration,
        timed_out: bool,
        now: Instant,
    ) -> Instant {
        (self.failures, self.polls) = (self.failures + 1, self.polls + 1);
        self.pace = self.pace.after(took, timed_out);
        now + retry_in
    }

    /// The ticks that are over before one starts that is so late.
    pub(super) fn missed(&self, lateness: Duration, poll_interval: Duration) -> u64 {
        let interval = self.interval(poll_interval).as_nanos().max(1);
        u64::try_from(lateness.as_nanos() / interval).unwrap_or(u64::MAX)
    }

    /// How often it is polled, which is `poll_interval` unless it says otherwise.
    pub(super) fn interval(&self, poll_interval: Duration) -> Duration {
        self.sensor.interval().unwrap_or(poll_interval)
    }
}
