//! No execution stays running, and no sensor stays owned, on a worker whose lease has ended or whose row was deleted.

use attune_common::repositories::worker;
use attune_hints::{Hints, Topic};
use sqlx::PgPool;

pub(super) async fn round(pool: &PgPool, hints: &Hints) -> sqlx::Result<()> {
    for lost in worker::find_lost(pool).await? {
        if worker::release_lost(pool, lost).await? {
            tracing::warn!(
                worker.id = lost.worker,
                worker.epoch = lost.epoch,
                "A worker is lost; its work goes back into the queue"
            );
            hints.wake(Topic::Execution);
            hints.wake(Topic::Worker);
        }
    }
    let executions = worker::release_deleted(pool).await?;
    if executions > 0 {
        tracing::warn!(executions, "The work of deleted workers goes back into the queue");
        hints.wake(Topic::Execution);
    }
    Ok(())
}
