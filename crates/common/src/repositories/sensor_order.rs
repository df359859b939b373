//! What an operator orders one sensor to do: `sensor_state.paused`, and what has to be known before it is told to tick.

use sqlx::PgPool;

/// How a sensor stands to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// `sensor.id`.
    pub id: i64,
    /// `poll`, `stream` or `builtin`.
    pub mode: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The pack that is disabled, if it is.
    pub disabled_pack: Option<String>,
    /// Whether somebody wants it paused.
    pub paused: bool,
    /// Its status,
    pub status: String,
    /// and the reason of that.
    pub reason: Option<String>,
}

/// A sensor by its ref.
pub async fn find(pool: &PgPool, r#ref: &str) -> sqlx::Result<Option<Ordered>> {
    sqlx::query_as!(
        Ordered,
        r#"SELECT d.id, d.mode, d.enabled, CASE WHEN NOT p.enabled THEN p.ref END AS disabled_pack, s.paused, s.status, s.reason
           FROM sensor d JOIN sensor_state s ON s.sensor = d.id LEFT JOIN pack p ON p.id = d.pack WHERE d.ref = $1"#,
        r#ref
    )
    .fetch_optional(pool)
    .await
}

/// Pauses a sensor, for this reason. `false`: it was paused already. The rest is up to the triggers of the table.
pub async fn pause(pool: &PgPool, sensor: i64, reason: Option<&str>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE sensor_state
           SET paused = TRUE, reason = CASE WHEN status = 'stopped' THEN reason ELSE COALESCE($2, reason) END,
               updated = clock_timestamp()
           WHERE sensor = $1 AND NOT paused"#,
        sensor,
        reason
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets a sensor be polled again. `false`: it was not paused.
pub async fn resume(pool: &PgPool, sensor: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE sensor_state SET paused = FALSE, updated = clock_timestamp() WHERE sensor = $1 AND paused",
        sensor
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
