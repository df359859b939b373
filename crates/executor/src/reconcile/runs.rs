//! Tokens of runs that are over, chains in which nothing happens any more, and what was held long ago take no room.

use attune_common::repositories::{held, run_token};
use chrono::{TimeDelta, Utc};

use super::Reconciler;

/// Small enough never to hold up a run.
const BATCH: i64 = 1000;
/// The worker removes a token itself; what is older was left by one that died.
const LEFT: TimeDelta = TimeDelta::minutes(1);
/// Longer than an execution waits or runs.
const QUIET: TimeDelta = TimeDelta::days(7);

pub(super) async fn round(reconciler: &Reconciler) -> sqlx::Result<()> {
    let (pool, now) = (&reconciler.pool, Utc::now());
    while run_token::delete_ended(pool, now - LEFT, BATCH).await? == BATCH.unsigned_abs() {}
    held::delete_old(pool).await?;
    while run_token::delete_quiet_chains(pool, now - QUIET, BATCH).await? == BATCH.unsigned_abs() {}
    Ok(())
}
