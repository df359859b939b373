//! Table `config_version`: one number that rises with every change of configuration, by whatever program.

use sqlx::{PgConnection, PgPool};

/// The channel on which each change is announced. A hint: the number is the truth.
pub const CHANNEL: &str = "attune_config";

/// The number now.
pub async fn get(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!("SELECT version FROM config_version").fetch_one(pool).await
}

/// Keeps everybody else from changing the configuration until the transaction ends. Taken before any other lock, as every
/// change by plain SQL does.
pub async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!("SELECT version FROM config_version FOR UPDATE").fetch_one(tx).await?;
    Ok(())
}
