//! One turn of one sensor: its poll, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::sensor_state::{self, Owned};
use attune_core::backoff;
use attune_executor::ingest::IngestError;
use attune_runtimes::equipment::Equipment;
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
    /// It failed and is tried again after this time.
    Failed { retry_in: Duration, timed_out: bool },
    /// The sensor is no longer this worker's.
    Lost,
    /// This worker ended the poll.
    Stopped,
}

impl Tools {
    /// Polls a sensor and commits what it gave, or marks it as failing.
    pub(super) async fn take(&self, turn: Turn) -> Ending {
        let polled = self.poll(&turn).await;
        let committed = match polled {
            Ok(output) => self.commit(&turn, output).await,
            Err(error) => Err(error.into()),
        };
        match committed {
            Ok(state) => Ending::Committed(state),
            Err(GenerateError::Poll(PollError::Stopped)) => Ending::Stopped,
            Err(GenerateError::Ingest(IngestError::Fenced { .. })) => Ending::Lost,
            Err(error) => self.fail(&turn, &error).await,
        }
    }

    async fn poll(&self, turn: &Turn) -> Result<PollOutput, PollError> {
        let row = &turn.sensor.row;
        let inventory = self.equipment.inventory();
        let gone = || PollError::RuntimeGone(row.runtime_ref.clone().unwrap_or_default());
        let tool = row.runtime.and_then(|runtime| inventory.tool(runtime)).ok_or_else(gone)?;
        let code = self.equipment.pack(row.pack_digest.as_deref().ok_or(PollError::NoContent)?).await?;
        let runtime_pack = match (&tool.pack_digest, tool.execution()?.needs_pack()) {
            (Some(digest), true) => Some(self.equipment.pack(digest).await?),
            _ => None,
        };
        let job = Job {
            sensor: &turn.sensor,
            tool,
            code: &code,
            runtime_pack: runtime_pack.as_deref(),
            state: &turn.owned.state,
            trigger_params: &self.generator.trigger_params(&turn.sensor),
            time: turn.sensor.timeout().unwrap_or(self.timeout),
        };
        let output = self.runtime.poll(&job, turn.stop.cancelled()).await?;
        for line in output.log.lines() {
            tracing::debug!(sensor.ref = %row.r#ref, "{line}");
        }
        Ok(output)
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
        let retry_in = backoff::delay(interval, CAP.max(interval), failures, rand::random());
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
