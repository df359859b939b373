//! How the polls of a sensor went, under the fence.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgPool;

use super::interval;

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
