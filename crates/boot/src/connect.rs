//! From configuration to a database that is ready to be used.

use std::time::Duration;

use attune_common::config::Config;
use attune_common::db;
use sqlx::PgPool;

/// Between attempts while the server is away.
const RETRY: Duration = Duration::from_secs(1);

/// A pool for `program`. Waits while the server is away: a service that starts before its database is not wrong.
pub async fn connect(config: &Config, program: &str) -> Result<PgPool, db::Error> {
    loop {
        match db::connect(&config.database, program).await {
            Err(db::Error::Connect(error)) if db::is_transient(&error) => {
                tracing::warn!(error = %error, "The database does not answer; trying again");
                tokio::time::sleep(RETRY).await;
            }
            outcome => return outcome,
        }
    }
}

/// As [`connect`], with the schema brought up to date.
pub async fn prepare_database(config: &Config, program: &str) -> Result<PgPool, db::Error> {
    let pool = connect(config, program).await?;
    db::migrate(&pool).await?;
    Ok(pool)
}
