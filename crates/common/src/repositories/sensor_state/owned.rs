//! Who runs a sensor: under one epoch at a time, which rises with each change.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use crate::readable::Readable;
use crate::registration::Held;

/// A sensor that its caller owns now.
#[derive(Debug, Clone, PartialEq)]
pub struct Owned {
    /// `sensor.id`.
    pub sensor: i64,
    /// The fence for everything it produces.
    pub epoch: i64,
    /// What it remembers from before; a text when that cannot be read.
    pub state: Value,
    /// Failures in a row so far.
    pub failures: i32,
    /// Seconds since it last ticked; `None`: not since it was enabled, or not paused any more.
    pub idle: Option<f64>,
    /// Polls that make up for missed ticks, still to come.
    pub owed: i32,
    /// Polls so far. Whatever is written of a poll raises them, so they tell whether the row is as its owner knows it.
    pub polls: i64,
}

/// Claims those of `sensors` that have no worker, or whose worker's lease has ended. One conditional UPDATE, so two
/// workers never own one sensor; nothing is claimed once the caller's own epoch or lease is gone.
///
/// The owner's lease is a scalar subquery, because only that is asked again when a row changed while this waited for its lock.
/// `NOT EXISTS` may become a join, which is not, and whoever came second would take the sensor from the first.
///
/// What did not tick for long was run by nobody, and could have had no event: its time begins anew.
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
           SET worker = me.id, epoch = s.epoch + 1, owner_since = clock_timestamp(), updated = clock_timestamp(),
               run_since = CASE WHEN s.last_tick < clock_timestamp() - INTERVAL '1 minute' - 2 * make_interval(secs =>
                       (SELECT LEAST(COALESCE(d.poll_interval, 30), 1e9) FROM sensor d WHERE d.id = s.sensor))
                   THEN clock_timestamp() ELSE s.run_since END,
               status = CASE WHEN s.status IN ('starting', 'stuck', 'unschedulable', 'stopped') THEN 'starting' ELSE s.status END,
               reason = CASE WHEN s.status IN ('quiet', 'silent', 'failing', 'paused') THEN s.reason END
           FROM free, me WHERE s.sensor = free.sensor
           RETURNING s.sensor, s.epoch, s.state AS "state!: Readable", s.failures, s.owed, s.polls,
               CASE WHEN s.last_tick > COALESCE(s.ticks_since, '-infinity') THEN
                   EXTRACT(EPOCH FROM clock_timestamp() - s.last_tick)::float8 END AS idle"#,
        held.worker,
        held.epoch,
        sensors,
        may_judge
    )
    .fetch_all(pool)
    .await
}

/// Sensor and epoch of all that the caller owns: none once another epoch holds its place, although the worker is the same.
pub async fn list_owned(pool: &PgPool, held: Held) -> sqlx::Result<Vec<(i64, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT s.sensor, s.epoch FROM sensor_state s JOIN worker w ON w.id = s.worker
           WHERE w.id = $1 AND w.epoch = $2 ORDER BY s.sensor"#,
        held.worker,
        held.epoch
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.sensor, row.epoch)).collect())
}

/// Those of `sensors` that the caller owns.
pub async fn find_owned(pool: &PgPool, held: Held, sensors: &[i64]) -> sqlx::Result<Vec<Owned>> {
    sqlx::query_as!(
        Owned,
        r#"SELECT s.sensor, s.epoch, s.state AS "state!: Readable", s.failures, s.owed, s.polls,
                  CASE WHEN s.last_tick > COALESCE(s.ticks_since, '-infinity') THEN
                      EXTRACT(EPOCH FROM clock_timestamp() - s.last_tick)::float8 END AS idle
           FROM sensor_state s JOIN worker w ON w.id = s.worker
           WHERE w.id = $1 AND w.epoch = $2 AND s.sensor = ANY($3) ORDER BY s.sensor"#,
        held.worker,
        held.epoch,
        sensors
    )
    .fetch_all(pool)
    .await
}

/// Gives sensors back, each under its epoch. Those that are no longer the caller's are left alone.
pub async fn release(pool: &PgPool, sensors: &[i64], epochs: &[i64]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH held AS MATERIALIZED (
               SELECT s.sensor
               FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS u (sensor, epoch) ORDER BY sensor) u
               CROSS JOIN LATERAL (
                   SELECT s.sensor FROM sensor_state s
                   WHERE s.sensor = u.sensor AND s.epoch = u.epoch FOR UPDATE) s)
           UPDATE sensor_state s
           SET worker = NULL, epoch = s.epoch + 1, owner_since = clock_timestamp(), look_at = clock_timestamp(),
               updated = clock_timestamp()
           FROM held h WHERE s.sensor = h.sensor"#,
        sensors,
        epochs
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Fences off every sensor of a worker that is gone.
pub(in super::super) async fn release_all(tx: &mut PgConnection, worker: i64) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (SELECT sensor FROM sensor_state WHERE worker = $1 ORDER BY sensor FOR UPDATE)
           UPDATE sensor_state s
           SET worker = NULL, epoch = s.epoch + 1, owner_since = clock_timestamp(), look_at = clock_timestamp(),
               updated = clock_timestamp()
           FROM l WHERE s.sensor = l.sensor"#,
        worker
    )
    .execute(tx)
    .await?;
    Ok(())
}
