//! Executions that fit a description and are wanted no more: all at once, in batches of one transaction each.
//!
//! What was born after the order is left alone, so it ends however many are born meanwhile.

use attune_common::repositories::execution_order::{self, Counted, Wanted};
use attune_hints::{Hints, Topic};
use sqlx::PgPool;

/// Executions in one transaction: few enough that no claim waits for long.
const BATCH: i64 = 2_000;

/// Cancels what waits and asks the workers of what runs. Returns how many there were of each.
pub async fn cancel_where(pool: &PgPool, hints: &Hints, wanted: &Wanted) -> sqlx::Result<Counted> {
    let mut all = Counted::default();
    let last = execution_order::last_id(pool).await?;
    loop {
        let batch = execution_order::cancel_batch(pool, wanted, last, BATCH).await?;
        if batch.running > 0 {
            hints.wake(Topic::Cancel);
        }
        all.requested += batch.requested;
        all.running += batch.running;
        // What was found and not cancelled, others changed meanwhile. It may fit again: what was claimed runs.
        if batch.found == 0 {
            return Ok(all);
        }
    }
}
