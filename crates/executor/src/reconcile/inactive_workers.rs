//! A worker that missed three beats is shown as inactive.

use attune_common::repositories::worker;

use super::Reconciler;

pub(super) async fn round(reconciler: &Reconciler) -> sqlx::Result<()> {
    for name in worker::mark_inactive(&reconciler.pool, reconciler.heartbeat_interval).await? {
        tracing::warn!(worker.name = %name, "A worker missed three heartbeats and is inactive now");
    }
    Ok(())
}
