//! Keys of events whose window is over take no room.

use attune_common::repositories::event;

use super::Reconciler;

/// Small enough never to hold up ingest.
const BATCH: i64 = 1000;

pub(super) async fn round(reconciler: &Reconciler) -> sqlx::Result<()> {
    while event::delete_expired_keys(&reconciler.pool, BATCH).await? == BATCH.unsigned_abs() {}
    Ok(())
}
