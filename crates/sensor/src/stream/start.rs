//! What a stream needs before it can start: the state that it goes on from, its code, and what runs that.

use std::time::Duration;

use attune_common::repositories::sensor_state::{self, Resumed};
use attune_runtimes::environment::Building;
use attune_runtimes::launch::{Code, Found, Interpreter};
use tokio::time::timeout;

use super::supervise::{Left, Next, Stream};
use crate::definition::Sensor;
use crate::runtime::PollError;

/// Between attempts while the database is away.
const RETRY: Duration = Duration::from_millis(500);

impl Stream {
    /// What it goes on from, once the database says.
    pub(super) async fn resume(&mut self) -> Result<Resumed, Next> {
        loop {
            match sensor_state::resume(&self.tools.pool, self.sensor, self.epoch).await {
                Ok(Some(resumed)) => return Ok(resumed),
                Ok(None) => return Err(Next::Leave(Left::Lost)),
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "A stream waits for the database"
                    );
                    if timeout(RETRY, self.wanted.changed()).await.is_ok() {
                        return Err(Next::Start);
                    }
                }
            }
        }
    }

    /// Its code and what runs it, once its environment is there.
    pub(super) async fn find(&mut self, sensor: &Sensor) -> Result<(Code, Interpreter), Next> {
        match self.look(sensor).await {
            Ok((code, Found::Ready(interpreter))) => Ok((code, interpreter)),
            Ok((_, Found::Building(building))) => Err(self.wait(building).await),
            Err(error) => Err(self.failed(sensor, &error.into(), Duration::ZERO).await),
        }
    }

    async fn look(&self, sensor: &Sensor) -> Result<(Code, Found), PollError> {
        sensor.check()?;
        let row = &sensor.row;
        let digest = row.pack_digest.as_deref();
        let code = self.tools.equipment.code(&row.r#ref, row.runtime, digest).await?;
        let found = self.tools.runtime.find(&code).await?;
        Ok((code, found))
    }

    async fn wait(&mut self, mut building: Building) -> Next {
        let progress = building.progress().await;
        let manifest = &building.owner().manifest;
        self.mark_starting(&format!("its environment from {manifest} is not ready yet: {progress}")).await;
        let mut unseen = |_: &_| ();
        tokio::select! {
            () = building.follow(&mut unseen) => {}
            _ = self.wanted.changed() => {}
        }
        Next::Start
    }

    /// Shows what it waits for. That it is another's by now is found out when it starts.
    pub(super) async fn mark_starting(&self, reason: &str) {
        let marked = sensor_state::mark_starting(&self.tools.pool, self.sensor, self.epoch, reason).await;
        if let Err(error) = marked {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A stream that waits could not be marked"
            );
        }
    }
}
