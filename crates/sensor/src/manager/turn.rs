//! One turn of one sensor: its poll, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::sensor_state::{self, Owned};
use attune_core::backoff;
use attune_executor::ingest::IngestError;
use attune_runtimes::environment::Building;
use attune_runtimes::equipment::Equipment;
use attune_runtimes::launch::Found;
use serde_json::Value;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::assignment::LookAgain;
use crate::definition::Sensor;
use crate::generator::{EventGenerator, GenerateError};
use crate::runtime::{Job, PollError, PollOutput, SensorRuntime};

/// The longest that a failing sensor waits, unless its own interval is longer.
const CAP: Duration = Duration::from_mins(5);

/// What turns need.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) pool: PgPool,
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) runtime: SensorRuntime,
    pub(crate) generator: EventGenerator,
    pub(crate) look_again: Arc<LookAgain>,
    /// How often a sensor is polled that does not say so itself.
    pub(crate) poll_interval: Duration,
    /// How long a poll may take when its sensor does not say so itself.
    pub(crate) timeout: Duration,
}

/// One turn of a sensor.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) sensor: Arc<Sensor>,
    /// Its epoch, its state and its failures in a row before this turn.
    pub(super) owned: Owned,
    pub(super) stop: CancellationToken,
}

/// How a turn ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// It is in the database; this is what the sensor remembers now.
    Committed(Value),
    /// It did not begin: the sensor's environment is being built.
    Waiting(Building),
    /// It failed and is tried again after this time.
    Failed { retry_in: Duration, timed_out: bool },
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
        let polled = self.poll(&turn).await;
        let committed = match polled {
            Ok(Polled::Output(output)) => self.commit(&turn, output).await,
            Ok(Polled::Building(building)) => return self.wait(&turn, building).await,
            Err(error) => Err(error.into()),
        };
        match committed {
            Ok(state) => Ending::Committed(state),
            Err(GenerateError::Poll(PollError::Stopped)) => Ending::Stopped,
            Err(GenerateError::Ingest(IngestError::Fenced { .. })) => Ending::Lost,
            Err(error) => self.fail(&turn, &error).await,
        }
    }

    async fn poll(&self, turn: &Turn) -> Result<Polled, PollError> {
        let row = &turn.sensor.row;
        let code = self.equipment.code(&row.r#ref, row.runtime, row.pack_digest.as_deref()).await?;
        let interpreter = match self.runtime.find(&code).await? {
            Found::Ready(interpreter) => interpreter,
            Found::Building(building) => return Ok(Polled::Building(building)),
        };
        let job = Job {
            sensor: &turn.sensor,
            code: &code,
            state: &turn.owned.state,
            trigger_params: &self.generator.trigger_params(&turn.sensor),
            time: turn.sensor.timeout().unwrap_or(self.timeout),
        };
        let output = self.runtime.poll_with(&interpreter, &job, turn.stop.cancelled()).await?;
        for line in output.log.lines() {
            tracing::debug!(sensor.ref = %row.r#ref, "{line}");
        }
        Ok(Polled::Output(output))
    }

    /// Shows that the sensor waits for its environment, and why.
    async fn wait(&self, turn: &Turn, mut building: Building) -> Ending {
        let row = &turn.sensor.row;
        let progress = building.progress().await;
        let reason =
            format!("its environment from {} is not ready yet: {progress}", building.owner().manifest);
        match sensor_state::mark_starting(&self.pool, row.id, turn.owned.epoch, &reason).await {
            Ok(false) => return Ending::Lost,
            Ok(true) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A sensor that waits could not be marked"
            ),
        }
        Ending::Waiting(building)
    }

    async fn commit(&self, turn: &Turn, output: PollOutput) -> Result<Value, GenerateError> {
        let state = output.state.clone();
        let submitted = self.generator.submit(&turn.sensor, turn.owned.epoch, output);
        let receipt = turn.stop.run_until_cancelled(submitted).await.ok_or(PollError::Stopped)??;
        if receipt.rejected > 0 {
            tracing::warn!(sensor.ref = %turn.sensor.row.r#ref, events.rejected = receipt.rejected,
                "Events were set aside; table event_rejected says why");
        }
        Ok(state.unwrap_or_else(|| turn.owned.state.clone()))
    }

    async fn fail(&self, turn: &Turn, error: &GenerateError) -> Ending {
        let row = &turn.sensor.row;
        let text = words(error);
        let failures = u32::try_from(turn.owned.failures).unwrap_or(0) + 1;
        tracing::warn!(sensor.ref = %row.r#ref, sensor.failures = failures, error = text, "A poll failed");
        let poll_error = if let GenerateError::Poll(error) = error { Some(error) } else { None };
        if poll_error.is_some_and(PollError::is_missing_runtime) {
            self.look_again.machine.notify_one();
        }
        let timed_out = matches!(poll_error, Some(PollError::TimedOut { .. }));
        let interval = turn.sensor.interval().unwrap_or(self.poll_interval);
        let backoff = backoff::delay(interval, CAP.max(interval), failures, rand::random());
        let retry_in = poll_error.and_then(PollError::retry_in).unwrap_or(backoff);
        match sensor_state::mark_failing(&self.pool, row.id, turn.owned.epoch, &text, retry_in).await {
            Ok(false) => Ending::Lost,
            Ok(true) => Ending::Failed { retry_in, timed_out },
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "A failing sensor could not be marked"
                );
                Ending::Failed { retry_in, timed_out }
            }
        }
    }
}

/// What the operator reads.
fn words(error: &GenerateError) -> String {
    match error {
        GenerateError::Poll(error) => error.for_the_record(),
        GenerateError::Snapshot(source) => format!("{error}: {source}"),
        GenerateError::Ingest(error) => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
