//! Tables `timer` and `timer_progress`: which timers there are, and how far they are.
//!
//! Several services write them side by side. Whether a timer is live is decided by the newest config version that anybody
//! knows; how far it is only rises, unless what it says lies in the future, where a wrong clock has put it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

/// One timer.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct TimerRow {
    pub id: i64,
    pub trigger_ref: String,
    pub params: Value,
    pub anchor: DateTime<Utc>,
    pub since: DateTime<Utc>,
    pub handled: DateTime<Utc>,
}

/// What timers did since it was last written; each timer once.
#[derive(Debug, Default)]
pub struct Tallies {
    /// `timer.id`.
    pub timer: Vec<i64>,
    /// The newest instant that was fired or counted.
    pub handled: Vec<DateTime<Utc>>,
    /// The newest that was fired.
    pub last: Vec<Option<DateTime<Utc>>>,
    /// How many were fired.
    pub fired: Vec<i64>,
    /// How many were missed.
    pub missed: Vec<i64>,
}

/// Makes timers live, as of a config version, and returns all of them. What is live stays as it is.
pub async fn enlist(
    pool: &PgPool,
    version: i64,
    triggers: &[String],
    params: &[Value],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<TimerRow>> {
    sqlx::query!(
        "INSERT INTO timer AS t (trigger_ref, params, anchor, since, handled, seen)
         SELECT w.trigger_ref, w.params, $3, $3, $3, $4
         FROM unnest($1::text[], $2::jsonb[]) AS w (trigger_ref, params) ORDER BY w.trigger_ref, w.params
         ON CONFLICT (trigger_ref, params) DO UPDATE SET live = TRUE, since = EXCLUDED.since, seen = EXCLUDED.seen
             WHERE NOT t.live AND t.seen < EXCLUDED.seen",
        triggers,
        params,
        now,
        version
    )
    .execute(pool)
    .await?;
    sqlx::query_as!(
        TimerRow,
        "SELECT t.id, t.trigger_ref, t.params, t.anchor, t.since, t.handled
         FROM unnest($1::text[], $2::jsonb[]) AS w (trigger_ref, params)
         JOIN timer t ON t.trigger_ref = w.trigger_ref AND t.params = w.params",
        triggers,
        params
    )
    .fetch_all(pool)
    .await
}

/// The ids of all live timers.
pub async fn list_live(pool: &PgPool) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!("SELECT id FROM timer WHERE live").fetch_all(pool).await
}

/// Nobody asks for these any more, as of a config version.
pub async fn retire(pool: &PgPool, version: i64, ids: &[i64], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE timer SET live = FALSE, since = $3, seen = $2 WHERE id = ANY($1) AND live AND seen < $2",
        ids,
        version,
        now
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Until when everything is done.
pub async fn get_progress(pool: &PgPool) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!("SELECT done FROM timer_progress").fetch_one(pool).await
}

/// Adds up what timers did, and says how far they are, in one transaction. Missed instants that another service has counted
/// already are not counted again. What is more than a minute ahead of `done` was written by a wrong clock and is put right.
pub async fn record(pool: &PgPool, tallies: &Tallies, done: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH told AS (
             UPDATE timer t
             SET handled = CASE WHEN t.handled > $6::timestamptz + INTERVAL '1 minute' THEN w.handled
                                ELSE GREATEST(t.handled, w.handled) END,
                 last = GREATEST(t.last, w.last), fired = t.fired + w.fired,
                 missed = t.missed + CASE WHEN t.handled < w.handled THEN w.missed ELSE 0 END
             FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[])
                  AS w (id, handled, last, fired, missed)
             WHERE t.id = w.id AND t.id = ANY($1))
         UPDATE timer_progress SET done = $6 WHERE done < $6 OR done > $6::timestamptz + INTERVAL '1 minute'",
        &tallies.timer,
        &tallies.handled,
        &tallies.last as &[Option<DateTime<Utc>>],
        &tallies.fired,
        &tallies.missed,
        done
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Whether an instant is over for a timer that nobody knew before it came.
pub async fn is_over(
    tx: &mut PgConnection,
    trigger: &str,
    params: &Value,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT $3 <= clock_timestamp() AND NOT EXISTS (
               SELECT FROM timer WHERE trigger_ref = $1 AND params @> $2 AND anchor < $3) AS "is_over!""#,
        trigger,
        params,
        at
    )
    .fetch_one(tx)
    .await
}
