//! Keeping up with changes: of the rows that say how things run, and of what this machine has.

use std::sync::Arc;
use std::time::Duration;

use attune_boot::Membership;
use attune_common::repositories::config_version;
use attune_hints::{Hints, Topic, Waiter};
use sqlx::PgPool;

use crate::attempt::Runner;

/// How often the version of the configuration is read when no hint comes.
const PERIOD: Duration = Duration::from_millis(500);

/// Renews the equipment when the configuration changed, when a run found something missing, and now and then; what
/// changed for others is reported.
pub(crate) async fn keep_fresh(
    pool: PgPool,
    hints: Hints,
    membership: Membership,
    runner: Arc<Runner>,
) -> Result<(), crate::Error> {
    let mut waiter = hints.waiter(Topic::Config);
    let mut version = 0;
    loop {
        waiter.arm();
        let now = config_version::get(&pool).await.unwrap_or(version);
        if now != version || runner.equipment.is_due() {
            version = now;
            refresh(&runner, &membership, &hints, false).await;
        }
        if wait(&mut waiter, &runner).await {
            refresh(&runner, &membership, &hints, true).await;
        }
    }
}

/// Waits for a change. `true`: a run found something missing.
async fn wait(waiter: &mut Waiter, runner: &Runner) -> bool {
    tokio::select! {
        () = waiter.wait(PERIOD) => false,
        () = runner.missing.notified() => true,
    }
}

async fn refresh(runner: &Runner, membership: &Membership, hints: &Hints, verify: bool) {
    let equipment = &runner.equipment;
    let refreshed = if verify { equipment.verify_again().await } else { equipment.refresh().await };
    match refreshed {
        Ok(false) => {}
        Ok(true) => {
            let detected = &equipment.inventory().detected;
            tracing::info!(worker.runtimes = ?detected.names, "What this machine can run has changed");
            if let Err(error) = membership.report(&detected.capabilities).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The capabilities could not be written"
                );
            }
            hints.wake_here(Topic::Execution);
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "The runtimes could not be looked at again"
            );
        }
    }
}
