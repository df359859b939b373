//! Table `sensor_state`: who runs a sensor under which epoch, and how it fares.
//!
//! The epoch is the fence: it rises whenever `worker` changes, and ingest admits only events that name the current one.
//! Lock order everywhere: `sensor_state` before `event_key`, rows by id.

use std::time::Duration;

use serde_json::Value;
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgPool};

use crate::registration::Held;

/// A sensor that its caller owns now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// `sensor.id`.
    pub sensor: i64,
    /// The fence for everything it produces.
    pub epoch: i64,
    /// What it remembers from before.
    pub state: Value,
    /// Failures in a row so far.
    pub failures: i32,
}

/// Claims those of `sensors` that have no worker, or whose worker's lease has ended. One conditional UPDATE, so two
/// workers never own one sensor; nothing is claimed once the caller's own epoch or lease is gone.
///
/// The owner's lease is a scalar subquery, because only that is asked again when a row changed while this waited for its lock.
/// `NOT EXISTS` may become a join, which is not, and whoever came second would take the sensor from the first.
///
/// `may_judge`: whether leases may be judged. Who was out of contact takes only what is free, until one lease has passed: the
/// others were perhaps out of contact too.
pub async fn claim(pool: &PgPool, held: Held, sensors: &[i64], may_judge: bool) -> sqlx::Result<Vec<Owned>> {
    sqlx::query_as!(
        Owned,
        r#"WITH me AS MATERIALIZED (
               SELECT id FROM worker WHERE id = $1 AND epoch = $2 AND lease_until > clock_timestamp() FOR SHARE),
           free AS MATERIALIZED (
               SELECT s.sensor FROM sensor_state s, me
               WHERE s.sensor = ANY($3) AND s.worker IS DISTINCT FROM me.id
                 AND COALESCE((SELECT $4 AND w.lease_until <= clock_timestamp() FROM worker w WHERE w.id = s.worker), TRUE)
               ORDER BY s.sensor FOR UPDATE OF s)
           UPDATE sensor_state s
           SET worker = me.id, epoch = s.epoch + 1, updated = clock_timestamp(),
               status = CASE WHEN s.status = 'failing' THEN s.status ELSE 'starting' END,
               reason = CASE WHEN s.status = 'failing' THEN s.reason END
           FROM free, me WHERE s.sensor = free.sensor
           RETURNING s.sensor, s.epoch, s.state, s.failures"#,
        held.worker,
        held.epoch,
        sensors,
        may_judge
    )
    .fetch_all(pool)
    .await
}

/// The sensors that the caller owns: none once another epoch holds its place, although the worker is the same.
pub async fn owned_by(pool: &PgPool, held: Held) -> sqlx::Result<Vec<Owned>> {
    sqlx::query_as!(
        Owned,
        r#"SELECT s.sensor, s.epoch, s.state, s.failures
           FROM sensor_state s JOIN worker w ON w.id = s.worker WHERE w.id = $1 AND w.epoch = $2 ORDER BY s.sensor"#,
        held.worker,
        held.epoch
    )
    .fetch_all(pool)
    .await
}

/// Gives one sensor back. `false`: it was no longer the caller's.
pub async fn release(pool: &PgPool, sensor: i64, epoch: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE sensor_state SET worker = NULL, epoch = epoch + 1, updated = clock_timestamp() WHERE sensor = $1 AND epoch = $2",
        sensor,
        epoch
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Fences off every sensor of a worker that is gone.
pub(super) async fn release_all(tx: &mut PgConnection, worker: i64) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (SELECT sensor FROM sensor_state WHERE worker = $1 ORDER BY sensor FOR UPDATE)
           UPDATE sensor_state s SET worker = NULL, epoch = s.epoch + 1, updated = clock_timestamp()
           FROM l WHERE s.sensor = l.sensor"#,
        worker
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Shows what a sensor waits for before it can run, under the fence. `false`: the sensor is no longer the caller's.
pub async fn mark_starting(pool: &PgPool, sensor: i64, epoch: i64, reason: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE sensor_state SET status = 'starting', reason = $3, next_try = NULL, updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch,
        reason
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records a failed poll, under the fence. `false`: the sensor is no longer the caller's.
pub async fn mark_failing(
    pool: &PgPool,
    sensor: i64,
    epoch: i64,
    error: &str,
    retry_in: Duration,
) -> sqlx::Result<bool> {
    let retry_in = PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(retry_in.as_micros()).unwrap_or(i64::MAX),
    };
    let done = sqlx::query!(
        r#"UPDATE sensor_state
           SET status = 'failing', reason = NULL, failures = failures + 1, last_error = $3,
               next_try = clock_timestamp() + $4, last_tick = clock_timestamp(), polls = polls + 1, errors = errors + 1,
               updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch,
        error,
        retry_in
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says why nobody runs these sensors. Rows that already say so are left alone.
pub async fn mark_unschedulable(pool: &PgPool, sensors: &[i64], reasons: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (
               SELECT s.sensor, u.reason
               FROM sensor_state s JOIN unnest($1::bigint[], $2::text[]) AS u (sensor, reason) ON s.sensor = u.sensor
               WHERE s.worker IS NULL AND (s.status, s.reason) IS DISTINCT FROM ('unschedulable', u.reason)
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
