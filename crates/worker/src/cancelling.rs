//! Ends what somebody cancelled: `execution.cancel_requested` says which, a hint says when to look, and so does each second
//! in which something runs.
//!
//! Stopping a run twice does nothing, so nothing has to be remembered between two looks.

use std::time::Duration;

use attune_common::repositories::execution_order;
use attune_hints::{Hints, Topic};
use sqlx::PgPool;

use crate::known::Known;

/// How often the column is read while something runs and no hint comes.
const PERIOD: Duration = Duration::from_secs(1);

/// Looks until it is dropped.
pub(crate) async fn watch(pool: PgPool, hints: Hints, worker: i64, known: Known) -> Result<(), crate::Error> {
    let mut waiter = hints.waiter(Topic::Cancel);
    loop {
        waiter.arm();
        if !known.is_empty()
            && let Err(error) = look(&pool, worker, &known).await
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "What was cancelled could not be read");
        }
        waiter.wait(PERIOD).await;
    }
}

async fn look(pool: &PgPool, worker: i64, known: &Known) -> sqlx::Result<()> {
    for (execution, attempt) in execution_order::list_cancelling(pool, worker).await? {
        known.stop(execution, attempt);
    }
    Ok(())
}
