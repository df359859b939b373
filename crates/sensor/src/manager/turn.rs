//! One turn of one sensor: its poll, and what becomes of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use attune_common::repositories::poke::Poke;
use attune_common::repositories::sensor_state::{self, Failed};
use attune_core::usage::{Ended, Figures, Spent};
use attune_core::{backoff, output};
use attune_executor::ingest::{IngestError, NewEvent};
use attune_executor::usage::Meter;
use attune_runtimes::environment::Building;
use attune_runtimes::equipment::Equipment;
use attune_runtimes::launch::Found;
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::look_again::LookAgain;
use super::ticks::{Tick, Ticks};
use crate::canary::Canaries;
use crate::definition::Sensor;
use crate::generator::{EventGenerator, GenerateError, Polls, millis};
use crate::runtime::{Job, PollError, PollOutput, SensorRuntime};
use crate::timeline::Timeline;
use crate::{pass, pause};

/// What turns need.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) pool: PgPool,
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) runtime: SensorRuntime,
    pub(crate) generator: EventGenerator,
    pub(crate) ticks: Arc<Ticks>,
    pub(crate) meter: Meter,
    pub(crate) look_again: Arc<LookAgain>,
    pub(crate) canaries: Canaries,
    /// Where the API says where it is.
    pub(crate) data_dir: PathBuf,
    /// How often a sensor is polled that does not say so itself.
    pub(crate) poll_interval: Duration,
    /// How long a poll may take when its sensor does not say so itself.
    pub(crate) timeout: Duration,
}

/// One turn of a sensor.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) sensor: Arc<Sensor>,
    /// The fence.
    pub(super) epoch: i64,
    /// What it remembers.
    pub(super) state: Arc<Value>,
    /// Failures in a row before this turn.
    pub(super) failures: i32,
    /// Polls before this one.
    pub(super) polls: i64,
    /// How late it starts.
    pub(super) lateness: Duration,
    /// When it started.
    pub(super) started: Instant,
    /// Somebody wanted it now, and is told what comes of it.
    pub(super) poke: Option<Poke>,
    pub(super) stop: CancellationToken,
}

/// How a turn ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// It is in the database, or will be with the next flush; this is what the sensor remembers now. Like one that failed, it
    /// was `answered` unless somebody who wanted it could not be told.
    Committed { state: Arc<Value>, answered: bool },
    /// It did not begin: the sensor's environment is being built.
    Waiting(Building),
    /// It failed and is tried again after this time.
    Failed { retry_in: Duration, timed_out: bool, answered: bool },
    /// The sensor is no longer this worker's.
    Lost,
    /// This worker ended the poll.
    Stopped,
}

/// What a poll gave.
enum Polled {
    Output(PollOutput),
    Building(Building),
}

impl Tools {
    /// Polls a sensor and commits what it gave, or marks it as failing.
    pub(super) async fn take(&self, turn: Turn) -> Ending {
        let mut spent = Spent::default();
        let (polled, ended) = (self.poll(&turn, &mut spent).await, SystemTime::now());
        let took = turn.took();
        let committed = match polled {
            Ok(Polled::Output(output)) => {
                let (events, timeline) = (output.events.len(), turn.timeline(ended, &output));
                self.commit(&turn, output, timeline).await.map(|state| (state, events))
            }
            Ok(Polled::Building(building)) => return self.wait(&turn, building).await,
            Err(error) => Err(error.into()),
        };
        let events = committed.as_ref().map_or(0, |(_, events)| *events);
        let figures = Figures::of_run(verdict(&committed), took, &spent).with_events(events);
        self.meter.note(turn.sensor.row.id, &figures);
        match committed {
            Ok((state, events)) => {
                let answered = self.answer(&turn, Ok(events)).await;
                Ending::Committed { state, answered }
            }
            Err(GenerateError::Poll(PollError::Stopped)) => Ending::Stopped,
            Err(GenerateError::Ingest(IngestError::Fenced { .. })) => Ending::Lost,
            Err(error) => self.fail(&turn, &error, ended).await,
        }
    }

    async fn poll(&self, turn: &Turn, spent: &mut Spent) -> Result<Polled, PollError> {
        let row = &turn.sensor.row;
        let code = self.equipment.code(&row.r#ref, row.runtime, row.pack_digest.as_deref()).await?;
        let interpreter = match self.runtime.find(&code).await? {
            Found::Ready(interpreter) => interpreter,
            Found::Building(building) => return Ok(Polled::Building(building)),
        };
        let time = turn.sensor.timeout().unwrap_or(self.timeout);
        let pass = pass::issue(self, &turn.sensor, turn.epoch, Some(time)).await?;
        let job = Job {
            sensor: &turn.sensor,
            code: &code,
            state: &turn.state,
            trigger_params: &self.generator.trigger_params(&turn.sensor),
            time,
            pass: pass.as_ref(),
        };
        let output = self.runtime.poll_with(&interpreter, &job, spent, turn.stop.cancelled()).await;
        pass::end(&self.pool, pass).await;
        let output = output?;
        for line in output.log.lines() {
            tracing::debug!(sensor.ref = %row.r#ref, "{line}");
        }
        Ok(Polled::Output(output))
    }

    /// Shows that the sensor waits for its environment, and why.
    async fn wait(&self, turn: &Turn, mut building: Building) -> Ending {
        let row = &turn.sensor.row;
        // What is kept of it would show it as running. Should that fail, the next flush does so for a moment.
        let _ = self.ticks.flush().await;
        let progress = building.progress().await;
        let reason =
            format!("its environment from {} is not ready yet: {progress}", building.owner().manifest);
        match sensor_state::mark_starting(&self.pool, row.id, turn.epoch, &reason).await {
            Ok(false) => return Ending::Lost,
            Ok(true) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A sensor that waits could not be marked"
            ),
        }
        Ending::Waiting(building)
    }

    async fn commit(
        &self,
        turn: &Turn,
        mut output: PollOutput,
        timeline: Timeline,
    ) -> Result<Arc<Value>, GenerateError> {
        let new = output.state.take_if(|state| *state != *turn.state).map(Arc::new);
        let state = new.clone().unwrap_or_else(|| Arc::clone(&turn.state));
        let canary = self.canaries.due(&turn.sensor, turn.poke.is_some_and(|poke| poke.canary));
        let has_canary = canary.is_some();
        if !has_canary && is_quiet(turn, &output, new.as_deref()) {
            self.ticks.keep(turn.sensor.row.id, turn.tick(new, output.contact, timeline));
        } else {
            self.submit(turn, output, new, timeline, canary).await?;
            if has_canary {
                self.canaries.sent(&turn.sensor);
            }
        }
        Ok(state)
    }

    /// Commits a poll together with those before it that are not written yet.
    async fn submit(
        &self,
        turn: &Turn,
        mut output: PollOutput,
        new: Option<Arc<Value>>,
        timeline: Timeline,
        canary: Option<NewEvent>,
    ) -> Result<(), GenerateError> {
        let id = turn.sensor.row.id;
        let earlier = self.ticks.take(id).await.filter(|tick| tick.epoch == turn.epoch);
        let count = 1 + earlier.as_ref().map_or(0, |tick| tick.polls);
        output.contact |= earlier.as_ref().is_some_and(|tick| tick.contact);
        let ticks = timeline.after(timeline_of(earlier.as_ref())).to_column();
        let polls = Polls { count, lateness: Some(turn.lateness), ticks, canary };
        let state = new.as_ref().or(earlier.as_ref().and_then(|tick| tick.state.as_ref()));
        output.state = state.map(|state| Value::clone(state));
        let submitted = self.generator.commit(&turn.sensor, turn.epoch, output, polls);
        let submitted = turn.stop.run_until_cancelled(submitted).await;
        let receipt = submitted.unwrap_or(Err(PollError::Stopped.into())).inspect_err(|_| {
            // Should it be in nevertheless, this will find that the row moved on.
            if let Some(tick) = earlier {
                self.ticks.keep(id, tick);
            }
        })?;
        if receipt.rejected > 0 {
            tracing::warn!(sensor.ref = %turn.sensor.row.r#ref, events.rejected = receipt.rejected,
                "Events were set aside; table event_rejected says why");
        }
        Ok(())
    }

    async fn fail(&self, turn: &Turn, error: &GenerateError, ended: SystemTime) -> Ending {
        let row = &turn.sensor.row;
        let text = error.for_the_record();
        let failures = u32::try_from(turn.failures).unwrap_or(0) + 1;
        tracing::warn!(sensor.ref = %row.r#ref, sensor.failures = failures, error = text, "A poll failed");
        let poll_error = if let GenerateError::Poll(error) = error { Some(error) } else { None };
        if poll_error.is_some_and(PollError::is_missing_runtime) {
            self.look_again.machine.notify_one();
        }
        let timed_out = matches!(poll_error, Some(PollError::TimedOut { .. }));
        let interval = turn.sensor.interval().unwrap_or(self.poll_interval);
        let cap = backoff::cap(poll_error.is_some_and(PollError::was_killed));
        let backoff = backoff::delay(interval, cap.max(interval), failures, rand::random());
        let retry_in = poll_error.and_then(PollError::retry_in).unwrap_or(backoff);
        let timeline = Timeline::failed(ended, turn.took(), turn.lateness, &text);
        match self.mark_failing(turn, &text, retry_in, timeline).await {
            Ok(false) => Ending::Lost,
            Ok(true) => {
                let answered = self.answer(turn, Err(&text)).await;
                pause::after(&self.pool, &turn.sensor, turn.epoch, failures, &text).await;
                Ending::Failed { retry_in, timed_out, answered }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "A failing sensor could not be marked"
                );
                Ending::Failed { retry_in, timed_out, answered: false }
            }
        }
    }

    async fn mark_failing(
        &self,
        turn: &Turn,
        error: &str,
        retry_in: Duration,
        timeline: Timeline,
    ) -> sqlx::Result<bool> {
        let id = turn.sensor.row.id;
        let earlier = self.ticks.take(id).await.filter(|tick| tick.epoch == turn.epoch);
        let ticks = timeline.after(timeline_of(earlier.as_ref())).to_column();
        let failed = Failed {
            error,
            retry_in,
            base: earlier.as_ref().map_or(turn.polls, |tick| tick.base),
            earlier: earlier.as_ref().map_or(0, |tick| tick.polls),
            state: earlier.as_ref().and_then(|tick| tick.state.as_deref()),
            lateness_ms: millis(turn.lateness),
            ticks: &ticks.unwrap_or_default(),
        };
        sensor_state::mark_failing(&self.pool, id, turn.epoch, &failed).await.inspect_err(|_| {
            if let Some(tick) = earlier {
                self.ticks.keep(id, tick);
            }
        })
    }
}

impl Turn {
    /// What is left of it when it gave no event.
    fn tick(&self, state: Option<Arc<Value>>, contact: bool, timeline: Timeline) -> Tick {
        let (epoch, base, lateness) = (self.epoch, self.polls, self.lateness);
        Tick { epoch, base, polls: 1, state, at: Instant::now(), lateness, contact, timeline }
    }

    /// What the timeline shows of a poll that went well.
    fn timeline(&self, ended: SystemTime, output: &PollOutput) -> Timeline {
        Timeline::polled(ended, self.took(), self.lateness, output.events.len())
    }

    fn took(&self) -> Duration {
        self.started.elapsed()
    }
}

/// What a poll counts as. One whose sensor was lost meanwhile was not to blame for that.
fn verdict<T>(committed: &Result<T, GenerateError>) -> Ended {
    match committed {
        Ok(_) => Ended::Succeeded,
        Err(GenerateError::Poll(PollError::Stopped) | GenerateError::Ingest(IngestError::Fenced { .. })) => {
            Ended::Stopped
        }
        Err(GenerateError::Poll(PollError::TimedOut { .. })) => Ended::TimedOut,
        Err(_) => Ended::Failed,
    }
}

fn timeline_of(earlier: Option<&Tick>) -> Timeline {
    earlier.map(|tick| tick.timeline.clone()).unwrap_or_default()
}

/// Whether a poll may be written later, together with others. A state that the database would refuse is refused alone.
fn is_quiet(turn: &Turn, output: &PollOutput, state: Option<&Value>) -> bool {
    let is_good_news = turn.failures > 0;
    let is_storable = state.is_none_or(|state| output::storable(state).is_ok());
    output.events.is_empty() && output.rejected.is_empty() && !is_good_news && is_storable
}
