//! At a start: what killed the processes before is counted, and what killed two is put aside, before anything is evaluated.

use std::error::Error;
use std::path::Path;

use attune_common::fuse;
use attune_common::repositories::fuse as table;
use sqlx::PgPool;

/// Counts what dead processes of this data directory evaluated, and notes from now on what this one does. A fuse that cannot be
/// used is said and does not keep the service from starting.
pub async fn insert(pool: &PgPool, data_dir: &Path) {
    if let Err(error) = try_insert(pool, data_dir).await {
        let error = &*error as &dyn Error;
        tracing::warn!(error, "What is evaluated cannot be noted; whatever kills this process is not found");
    }
}

async fn try_insert(pool: &PgPool, data_dir: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    for dead in fuse::find(data_dir)? {
        for death in &dead.deaths {
            count(pool, *death).await?;
        }
        dead.bury()?;
    }
    let suspects = table::list_suspects(pool).await?;
    Ok(fuse::open(data_dir, &suspects)?)
}

async fn count(pool: &PgPool, death: fuse::Death) -> sqlx::Result<()> {
    let fuse::Evaluated { thing, id, .. } = death.evaluated;
    tracing::warn!(noun = thing.name(), id, "A process died while it evaluated this");
    if let Some(reason) = table::count(pool, death).await? {
        tracing::error!(noun = thing.name(), id, reason, "Something was put aside");
    }
    Ok(())
}
