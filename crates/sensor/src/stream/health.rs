//! Showing that a stream runs, while it does, and that it is heard.

use std::time::Duration;

use attune_common::repositories::sensor_state::{self, Resumed};
use sqlx::PgPool;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::ear::Ear;
use super::restart::STABLE;

/// Between attempts while the database is away.
const RETRY: Duration = Duration::from_millis(500);
/// A stream that runs this long has started, although it said nothing yet.
pub(super) const STARTED: Duration = Duration::from_secs(1);
/// However much it says, its clocks are written this often.
const STEP: Duration = Duration::from_secs(1);

/// One run of one stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) sensor: i64,
    pub(super) epoch: i64,
    /// What it began from.
    pub(super) resumed: &'a Resumed,
    /// How often it failed before, in a row.
    pub(super) failures: i32,
}

impl Run<'_> {
    /// Shows that it runs, with its first word or once it has run for a moment; then that it has recovered, and all the time
    /// that it is heard. Never ends.
    pub(super) async fn show(self, ear: &Ear) {
        let stable = Instant::now() + STABLE;
        // Silence is no bad sign.
        let has_spoken = timeout(STARTED, ear.listen()).await.is_ok();
        self.mark(self.failures).await;
        if has_spoken {
            self.write(ear).await;
        }
        let _ = timeout_at(stable, self.follow(ear)).await;
        sleep_until(stable).await;
        self.mark(0).await;
        self.follow(ear).await;
    }

    /// Writes what is heard, again and again.
    async fn follow(&self, ear: &Ear) {
        loop {
            sleep(STEP).await;
            ear.listen().await;
            self.write(ear).await;
        }
    }

    /// What can not be written now is old news when the database is back.
    async fn write(&self, ear: &Ear) {
        let heard = ear.take();
        if let Err(error) = sensor_state::write_heard(self.pool, self.sensor, self.epoch, heard).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "That a stream was heard could not be written"
            );
        }
    }

    /// That it was lost, or has failed since, is found out by who commits.
    async fn mark(&self, failures: i32) {
        let Self { pool, sensor, epoch, resumed, .. } = *self;
        while let Err(error) = sensor_state::mark_running(pool, sensor, epoch, resumed.errors, failures).await
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "A running stream could not be marked");
            sleep(RETRY).await;
        }
    }
}
