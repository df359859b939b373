//! Showing that a stream runs, while it does.

use std::future::pending;
use std::time::Duration;

use attune_common::repositories::sensor_state::{self, Resumed};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::restart::STABLE;

/// Between attempts while the database is away.
const RETRY: Duration = Duration::from_millis(500);
/// A stream that runs this long has started, although it said nothing yet.
const STARTED: Duration = Duration::from_secs(1);

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
    /// Shows that it runs, with its first word or once it has run for a moment; then that it has recovered. Never ends.
    pub(super) async fn show(self, heard: &Notify) {
        let stable = Instant::now() + STABLE;
        // Silence is no bad sign.
        let _ = timeout(STARTED, heard.notified()).await;
        self.mark(self.failures).await;
        sleep_until(stable).await;
        self.mark(0).await;
        pending::<()>().await;
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
