//! Content that was uploaded and that no load came to use, because the process ended in between, is removed.

use std::time::Duration;

use attune_common::repositories::pack;

use super::Reconciler;

/// Longer than any load takes.
const GRACE: Duration = Duration::from_hours(1);

pub(super) async fn round(reconciler: &Reconciler) -> sqlx::Result<()> {
    let contents = pack::delete_unused_content(&reconciler.pool, GRACE.as_secs_f64()).await?;
    if contents > 0 {
        tracing::info!(contents, "Contents that no load came to use were removed");
    }
    Ok(())
}
