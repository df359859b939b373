//! Table `sensor_state`: who runs a sensor under which epoch, and how it fares.
//!
//! The epoch is the fence: it rises whenever `worker` changes, and ingest admits only events that name the current one.
//! Lock order everywhere: `sensor_state` before `event_key`, rows by id. An owner that writes what it kept back for a moment
//! names `polls` as well, which every write of a poll raises: so a late write never undoes a newer one.
//!
//! Each statement that writes the status says what becomes of each old one. It is the table `attune_core::sensor_status`, and
//! a test holds them against it. The times `since` and `run_since`, and the notice of a change, are the work of triggers.

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
                       (SELECT COALESCE(d.poll_interval, 30) FROM sensor d WHERE d.id = s.sensor))
                   THEN clock_timestamp() ELSE s.run_since END,
               status = CASE WHEN s.status IN ('starting', 'stuck', 'unschedulable', 'stopped') THEN 'starting' ELSE s.status END,
               reason = CASE WHEN s.status IN ('quiet', 'silent', 'failing', 'paused') THEN s.reason END
           FROM free, me WHERE s.sensor = free.sensor
           RETURNING s.sensor, s.epoch, s.state, s.failures, s.polls"#,
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
        r#"SELECT s.sensor, s.epoch, s.state, s.failures, s.polls
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
pub(super) async fn release_all(tx: &mut PgConnection, worker: i64) -> sqlx::Result<()> {
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

/// A failed poll.
#[derive(Debug)]
pub struct Failed<'a> {
    /// Why.
    pub error: &'a str,
    /// Until the next try.
    pub retry_in: Duration,
    /// `polls` of the row, as far as what was not written is right about it.
    pub base: i64,
    /// Polls before this one that were not written yet.
    pub earlier: i64,
    /// What the sensor remembers of them.
    pub state: Option<&'a Value>,
    /// How late the poll had started.
    pub lateness_ms: i64,
    /// What of it, and of those before, the timeline shows.
    pub ticks: &'a Value,
}

/// Records a failed poll and those before it that were not written yet, under the fence. `false`: the sensor is no longer
/// the caller's.
pub async fn mark_failing(pool: &PgPool, sensor: i64, epoch: i64, failed: &Failed<'_>) -> sqlx::Result<bool> {
    let retry_in = interval(failed.retry_in);
    let done = sqlx::query!(
        r#"UPDATE sensor_state
           SET status = CASE WHEN status = 'paused' THEN status ELSE 'failing' END,
               reason = CASE WHEN status = 'paused' THEN reason END, failures = failures + 1, last_error = $3,
               next_try = clock_timestamp() + $4, last_tick = clock_timestamp(), lateness_ms = $5,
               ticks = jsonb_path_query_array($9 || ticks, '$[0 to 19]'),
               state = CASE WHEN polls = $6 THEN COALESCE($7, state) ELSE state END,
               polls = polls + 1 + CASE WHEN polls = $6 THEN $8::bigint ELSE 0 END, errors = errors + 1,
               updated = clock_timestamp()
           WHERE sensor = $1 AND epoch = $2"#,
        sensor,
        epoch,
        failed.error,
        retry_in,
        failed.lateness_ms,
        failed.base,
        failed.state,
        failed.earlier,
        failed.ticks
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What polls without events leave behind, one entry for each sensor, as columns.
#[derive(Debug, Default)]
pub struct TickColumns {
    /// `sensor.id`.
    pub sensor: Vec<i64>,
    /// The fence.
    pub epoch: Vec<i64>,
    /// `polls` of the row before these.
    pub base: Vec<i64>,
    /// How many polls they are.
    pub polls: Vec<i64>,
    /// The new state as JSON text; `None` leaves it.
    pub state: Vec<Option<String>>,
    /// Seconds since the last of them.
    pub age: Vec<f64>,
    /// How late the last of them had started.
    pub lateness_ms: Vec<i64>,
    /// Whether one of them said that it reached its source.
    pub contact: Vec<bool>,
    /// What the timeline shows of them, the newest first, as JSON text.
    pub ticks: Vec<String>,
}

/// Records good polls without events. Returns the sensors whose rows were written; the others' have another epoch, or hold
/// polls that the caller does not know of, and nothing of them changed.
///
/// Each row is looked up by its key and written by its place, because the planner takes arrays for ten entries: whatever it
/// joins them with instead compares each with each, and ten thousand took minutes. A row that somebody else changes at this
/// moment may be left out like one that has another epoch.
pub async fn write_ticks(pool: &PgPool, ticks: &TickColumns) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"WITH held AS MATERIALIZED (
               SELECT s.place, t.polls, t.state, clock_timestamp() - make_interval(secs => t.age) AS at, t.lateness_ms, t.contact, t.ticks
               FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::float8[], $7::bigint[], $8::bool[], $9::text[])
                     AS t (sensor, epoch, base, polls, state, age, lateness_ms, contact, ticks) ORDER BY sensor) t
               CROSS JOIN LATERAL (
                   SELECT s.ctid AS place FROM sensor_state s
                   WHERE s.sensor = t.sensor AND s.epoch = t.epoch AND s.polls = t.base FOR UPDATE) s)
           UPDATE sensor_state s
           SET state = COALESCE(h.state::jsonb, s.state), failures = 0, next_try = NULL,
               status = CASE WHEN s.status IN ('quiet', 'silent', 'paused') THEN s.status ELSE 'running' END,
               reason = CASE WHEN s.status IN ('quiet', 'silent', 'paused') THEN s.reason END,
               last_tick = h.at, lateness_ms = h.lateness_ms, says_contact = s.says_contact OR h.contact,
               last_contact = CASE WHEN h.contact OR NOT s.says_contact THEN h.at ELSE s.last_contact END,
               ticks = jsonb_path_query_array(h.ticks::jsonb || s.ticks, '$[0 to 19]'),
               polls = s.polls + h.polls, updated = clock_timestamp()
           FROM held h WHERE s.ctid = h.place
           RETURNING s.sensor"#,
        &ticks.sensor,
        &ticks.epoch,
        &ticks.base,
        &ticks.polls,
        &ticks.state as &[Option<String>],
        &ticks.age,
        &ticks.lateness_ms,
        &ticks.contact,
        &ticks.ticks
    )
    .fetch_all(pool)
    .await
}

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

/// Where a stream goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// What it last committed.
    pub state: Value,
    /// How often it failed in all.
    pub errors: i64,
}

/// What a stream goes on from, under the fence. `None`: the sensor is no longer the caller's.
pub async fn resume(pool: &PgPool, sensor: i64, epoch: i64) -> sqlx::Result<Option<Resumed>> {
    sqlx::query_as!(
        Resumed,
        "SELECT state, errors FROM sensor_state WHERE sensor = $1 AND epoch = $2",
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

fn interval(time: Duration) -> PgInterval {
    let microseconds = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
