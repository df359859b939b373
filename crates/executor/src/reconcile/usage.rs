//! What was used goes when nobody looks back so far.

use attune_common::repositories::usage;

use super::Reconciler;

/// Small enough never to hold up who adds.
const BATCH: i64 = 1000;

pub(super) async fn round(reconciler: &Reconciler) -> sqlx::Result<()> {
    while usage::delete_old(&reconciler.pool, BATCH).await? >= BATCH.unsigned_abs() {}
    Ok(())
}
