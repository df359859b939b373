//! What its owner says of a sensor of either kind, under the fence.

use sqlx::PgPool;

/// Shows what a sensor waits for before it can run, under the fence. `false`: the sensor is no longer the caller's.
pub async fn mark_starting(pool: &PgPool, sensor: i64, epoch: i64, reason: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE sensor_state
           SET status = CASE WHEN status IN ('stuck', 'paused') THEN status ELSE 'starting' END,
               reason = CASE WHEN status IN ('stuck', 'paused') THEN reason ELSE $3 END,
               next_try = NULL, updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch,
        reason
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Pauses a sensor that failed too often, under the fence. Whoever runs it hears of that as of every change of configuration.
pub async fn pause(pool: &PgPool, sensor: i64, epoch: i64, reason: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE sensor_state SET paused = TRUE, reason = $3, updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2 AND NOT paused AND status = 'failing'"#,
        sensor,
        epoch,
        reason
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
