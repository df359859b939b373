//! One sensor that runs here: what is known of it between its turns.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::poke::Poke;
use attune_common::repositories::sensor_state::Owned;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agenda::second_gap;
use super::lanes::Pace;
use super::rhythm::{Rhythm, Step, Wish, divide};
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
    /// When its current or last poll was due.
    pub(super) due: Instant,
    /// When its ticks are.
    pub(super) rhythm: Rhythm,
    /// What its next poll is.
    pub(super) kind: Kind,
    /// Somebody wants it to tick now, and no poll has answered that.
    pub(super) poke: Option<Poke>,
    /// The last such wish that was answered.
    pub(super) answered: i64,
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
    /// The wish that it answers.
    pub(super) poke: Option<Poke>,
}

/// What a poll is, as far as the rhythm goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A tick.
    Tick,
    /// It makes up for a tick that passed.
    MakeUp,
    /// Somebody asked for it, between two ticks.
    Extra,
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
            pace: if owned.polls > 0 && owned.failures == 0 { Pace::Unsure } else { Pace::New },
            due: now,
            rhythm: Rhythm::from(now),
            kind: Kind::Tick,
            poke: None,
            answered: 0,
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
    pub(super) fn begin(&mut self, lateness: Duration, poll_interval: Duration, now: Instant) -> Turn {
        let stop = CancellationToken::new();
        match self.kind {
            Kind::Tick => self.rhythm.tick(self.interval(poll_interval)),
            Kind::MakeUp => self.rhythm.make_up(),
            // What failed had no ticks but its next try. Should it do well now, it ticks again.
            Kind::Extra if self.failures > 0 => self.rhythm.restart(now + self.interval(poll_interval)),
            Kind::Extra => {}
        }
        self.poll = Some(Poll { stop: stop.clone(), started: now, poke: self.poke });
        Turn {
            sensor: Arc::clone(&self.sensor),
            epoch: self.epoch,
            state: Arc::clone(&self.state),
            failures: self.failures,
            polls: self.polls,
            lateness,
            started: now,
            poke: self.poke,
            stop,
        }
    }

    /// After a good poll.
    pub(super) fn go_on(&mut self, state: Arc<Value>, took: Duration, poll_interval: Duration) {
        (self.state, self.failures, self.polls) = (state, 0, self.polls + 1);
        self.pace = self.pace.after(took, false);
        if std::mem::take(&mut self.is_new) {
            let gap = second_gap(self.sensor.row.id, self.interval(poll_interval));
            self.rhythm.restart(self.due + gap);
        }
    }

    /// After a failed one.
    pub(super) fn fail(&mut self, took: Duration, timed_out: bool) {
        (self.failures, self.polls) = (self.failures + 1, self.polls + 1);
        self.pace = self.pace.after(took, timed_out);
    }

    /// When its next poll is, and how many ticks that passed are left out.
    pub(super) fn step(&mut self, poll_interval: Duration, now: Instant) -> (Instant, u64) {
        let (step, missed) = self.rhythm.step(self.wish(poll_interval), rand::random(), now);
        let (kind, at) = match step {
            Step::Tick(at) => (Kind::Tick, at),
            Step::MakeUp => (Kind::MakeUp, now),
        };
        self.kind = kind;
        (at, missed)
    }

    /// Its ticks are counted anew from this time, which is the next.
    pub(super) fn restart(&mut self, at: Instant) -> Instant {
        self.rhythm.restart(at);
        self.kind = Kind::Tick;
        at
    }

    /// A poll has ended that took up this wish. Without an answer it is as if it had not been heard of: the assigner tells of it
    /// again. What was asked for meanwhile is left.
    pub(super) fn took_up(&mut self, poke: Option<Poke>, answered: bool) {
        let Some(poke) = poke else { return };
        self.poke = self.poke.filter(|newer| newer.asked > poke.asked);
        if answered {
            self.answered = poke.asked;
        }
    }

    /// The ticks that are over before one starts that is so late.
    pub(super) fn missed(&self, lateness: Duration, poll_interval: Duration) -> u64 {
        divide(lateness, self.interval(poll_interval)).0
    }

    /// What it wants of its ticks.
    pub(super) fn wish(&self, poll_interval: Duration) -> Wish {
        let (interval, sensor) = (self.interval(poll_interval), &self.sensor);
        Wish { interval, jitter: sensor.jitter(), missed: sensor.missed() }
    }

    /// How often it is polled, which is `poll_interval` unless it says otherwise.
    pub(super) fn interval(&self, poll_interval: Duration) -> Duration {
        self.sensor.interval().unwrap_or(poll_interval)
    }
}
