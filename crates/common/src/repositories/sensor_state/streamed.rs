//! How a stream fares, under the fence.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgPool;

use super::interval;
use crate::readable::Readable;

/// Where a stream goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// What it last committed; a text when that cannot be read.
    pub state: Value,
    /// How often it failed in all.
    pub errors: i64,
}

/// What a stream goes on from, under the fence. `None`: the sensor is no longer the caller's.
pub async fn resume(pool: &PgPool, sensor: i64, epoch: i64) -> sqlx::Result<Option<Resumed>> {
    sqlx::query_as!(
        Resumed,
        r#"SELECT state AS "state!: Readable", errors FROM sensor_state WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch
    )
    .fetch_optional(pool)
    .await
}

/// Shows a stream as running, with so many failures in a row that still count. `false`: it is no longer the caller's, or has
/// failed since it had `errors` of them, which is how a late call finds out that it is late.
pub async fn mark_running(
    pool: &PgPool,
    sensor: i64,
    epoch: i64,
    errors: i64,
    failures: i32,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE sensor_state
           SET status = CASE WHEN status IN ('quiet', 'silent', 'paused') THEN status ELSE 'running' END,
               reason = CASE WHEN status IN ('quiet', 'silent', 'paused') THEN reason END,
               next_try = NULL, failures = $4, beats = FALSE, last_tick = clock_timestamp(), updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2 AND errors = $3"#,
        sensor,
        epoch,
        errors,
        failures
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records that a stream failed, for so many times in a row, under the fence. `false`: the sensor is no longer the caller's.
pub async fn mark_stream_failing(
    pool: &PgPool,
    sensor: i64,
    epoch: i64,
    error: &str,
    retry_in: Duration,
    failures: i32,
    ticks: &Value,
) -> sqlx::Result<bool> {
    let retry_in = interval(retry_in);
    let done = sqlx::query!(
        r#"UPDATE sensor_state
           SET status = CASE WHEN status = 'paused' THEN status ELSE 'failing' END,
               reason = CASE WHEN status = 'paused' THEN reason END, failures = $5, last_error = $3,
               next_try = clock_timestamp() + $4, errors = errors + 1, beats = FALSE,
               ticks = jsonb_path_query_array($6 || ticks, '$[0 to 19]'), updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch,
        error,
        retry_in,
        failures,
        ticks
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was heard of a stream since it was written last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// It said that it reached its source.
    pub contact: bool,
    /// It has promised to be heard again and again.
    pub beats: bool,
}

/// Sets the clocks of a stream that said something, under the fence. What follows from them is for the watch to say.
pub async fn write_heard(pool: &PgPool, sensor: i64, epoch: i64, heard: Heard) -> sqlx::Result<()> {
    sqlx::query!(
        r#"UPDATE sensor_state
           SET last_tick = clock_timestamp(), beats = beats OR $4, says_contact = says_contact OR $3,
               last_contact = CASE WHEN $3 OR NOT says_contact THEN clock_timestamp() ELSE last_contact END,
               updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch,
        heard.contact,
        heard.beats
    )
    .execute(pool)
    .await?;
    Ok(())
}
