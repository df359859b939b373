//! What the database server says of itself.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// A server.
#[derive(Debug)]
pub struct Server {
    /// Its version in words.
    pub version: String,
    /// Its version as a number: 150004 is 15.4.
    pub number: i32,
    /// What its clock shows.
    pub now: DateTime<Utc>,
    /// Whether it is a standby, which takes no writes.
    pub is_standby: bool,
}

/// Asks the server.
pub async fn get(pool: &PgPool) -> sqlx::Result<Server> {
    sqlx::query_as!(
        Server,
        r#"SELECT current_setting('server_version') AS "version!", current_setting('server_version_num')::int AS "number!",
                  clock_timestamp() AS "now!", pg_is_in_recovery() AS "is_standby!""#
    )
    .fetch_one(pool)
    .await
}
