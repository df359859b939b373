//! Sensors that run nowhere, and why.

use sqlx::PgPool;

/// Says why nobody runs these sensors. Rows that already say so are left alone.
pub async fn mark_unschedulable(pool: &PgPool, sensors: &[i64], reasons: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (
               SELECT s.sensor, u.reason
               FROM sensor_state s JOIN unnest($1::bigint[], $2::text[]) AS u (sensor, reason) ON s.sensor = u.sensor
               WHERE s.worker IS NULL AND s.status <> 'paused'
                 AND (s.status, s.reason) IS DISTINCT FROM ('unschedulable', u.reason)
               ORDER BY s.sensor FOR UPDATE OF s)
           UPDATE sensor_state s SET status = 'unschedulable', reason = l.reason, updated = clock_timestamp()
           FROM l WHERE s.sensor = l.sensor"#,
        sensors,
        reasons
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Shows as stopped what is disabled, by itself or with its pack, and runs nowhere. Rows that already say so are left alone.
pub async fn mark_stopped(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (
               SELECT s.sensor, CASE WHEN sensor.enabled THEN 'its pack ' || p.ref || ' is disabled' END AS reason
               FROM sensor_state s JOIN sensor ON sensor.id = s.sensor LEFT JOIN pack p ON p.id = sensor.pack
               WHERE (NOT sensor.enabled OR NOT p.enabled) AND s.worker IS NULL
                 AND (s.status <> 'stopped' OR s.reason IS DISTINCT FROM
                      CASE WHEN sensor.enabled THEN 'its pack ' || p.ref || ' is disabled' END)
               ORDER BY s.sensor FOR UPDATE OF s)
           UPDATE sensor_state s SET status = 'stopped', reason = l.reason, next_try = NULL, updated = clock_timestamp()
           FROM l WHERE s.sensor = l.sensor"#
    )
    .execute(pool)
    .await?;
    Ok(())
}
