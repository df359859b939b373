//! Tables `run_token` and `chain`: what the run of an action or a sensor may ask of the API, and how far what it causes may
//! lead.
//!
//! A token is kept as its hash. That of an action's run is good while its execution runs the attempt that it was made for, so
//! the end of the run, the loss of its worker and a cancel all end it, whether or not its row is still there. That of a
//! sensor's run is good while the sensor is under the epoch of the run, and its row goes with the run. Should its worker fail
//! to remove it, the sensor's next run does; and that of a poll expires when no poll goes on for so long.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// What asks with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// The run of an action.
    Action(Run),
    /// A run of a sensor.
    Sensor(SensorRun),
}

/// A run of a sensor, or of all of them that are under its epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorRun {
    /// `sensor.id`.
    pub sensor: i64,
    /// `sensor.ref`.
    pub sensor_ref: String,
    /// Events that it may bring in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
}

/// A run of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// `execution.id`.
    pub execution: i64,
    /// The attempt that runs.
    pub attempt: i32,
    /// Its action's ref.
    pub action_ref: String,
    /// The depth of the event that led to it; 0 where none did.
    pub depth: i16,
    /// The event that its chain began with; `None`: no event led to it.
    pub root: Option<i64>,
}

/// Keeps a token of an attempt that this worker runs. `false`: the attempt is no longer the worker's.
pub async fn insert(
    pool: &PgPool,
    hash: &[u8],
    worker: i64,
    execution: i64,
    attempt: i32,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"INSERT INTO run_token (hash, execution, attempt, depth, root)
           SELECT $1, e.id, e.attempt, COALESCE(v.depth, 0), COALESCE(v.root, v.id)
           FROM execution e LEFT JOIN enforcement f ON f.id = e.enforcement LEFT JOIN event v ON v.id = f.event
           WHERE e.id = $3 AND e.attempt = $4 AND e.worker = $2 AND e.status::text = 'running'"#,
        hash,
        worker,
        execution,
        attempt
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a token of a sensor's run under this epoch, for so many seconds at most, and ends those of its runs before. `false`:
/// it is under another epoch.
pub async fn insert_of_sensor(
    pool: &PgPool,
    hash: &[u8],
    sensor: i64,
    epoch: i64,
    seconds: Option<f64>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"WITH runs AS MATERIALIZED (SELECT sensor, epoch FROM sensor_state WHERE sensor = $2 AND epoch = $3),
           ended AS (DELETE FROM run_token t USING runs r WHERE t.sensor = r.sensor)
           INSERT INTO run_token (hash, sensor, epoch, expires)
           SELECT $1, sensor, epoch, clock_timestamp() + make_interval(secs => $4::float8) FROM runs"#,
        hash,
        sensor,
        epoch,
        seconds
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The run whose token has this hash, while it goes on.
pub async fn find(pool: &PgPool, hash: &[u8]) -> sqlx::Result<Option<Bearer>> {
    let row = sqlx::query!(
        r#"SELECT e.id AS "execution?", e.attempt AS "attempt?", e.action_ref AS "action_ref?", t.depth, t.root,
                  s.id AS "sensor?", s.ref AS "sensor_ref?", s.max_per_minute AS "max_per_minute?"
           FROM run_token t
           LEFT JOIN execution e ON e.id = t.execution AND e.attempt = t.attempt AND e.status::text = 'running'
               AND e.cancel_requested IS NULL
           LEFT JOIN sensor_state x ON x.sensor = t.sensor AND x.epoch = t.epoch
           LEFT JOIN sensor s ON s.id = x.sensor
           WHERE t.hash = $1 AND (t.expires > clock_timestamp()) IS NOT FALSE"#,
        hash
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| match (row.execution, row.attempt, row.action_ref) {
        (Some(execution), Some(attempt), Some(action_ref)) => {
            Some(Bearer::Action(Run { execution, attempt, action_ref, depth: row.depth, root: row.root }))
        }
        _ => row.sensor.zip(row.sensor_ref).map(|(sensor, sensor_ref)| {
            Bearer::Sensor(SensorRun { sensor, sensor_ref, max_per_minute: row.max_per_minute })
        }),
    }))
}

/// Forgets a token whose run is over.
pub async fn delete(pool: &PgPool, hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM run_token WHERE hash = $1", hash).execute(pool).await?;
    Ok(())
}

/// Counts events that executions send in the chain that began with `root`. `false`: with them it would have more than `limit`,
/// and nothing is counted.
pub async fn count(pool: &PgPool, root: i64, events: i64, limit: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"INSERT INTO chain (root, events) SELECT $1, $2 WHERE $2 <= $3::bigint
           ON CONFLICT (root) DO UPDATE SET events = chain.events + EXCLUDED.events, updated = clock_timestamp()
               WHERE chain.events + EXCLUDED.events <= $3"#,
        root,
        events,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// So many events that were counted in a chain did not go in.
pub async fn count_out(pool: &PgPool, root: i64, events: i64) -> sqlx::Result<()> {
    sqlx::query!("UPDATE chain SET events = GREATEST(events - $2, 0) WHERE root = $1", root, events)
        .execute(pool)
        .await
        .map(drop)
}

/// Says something in the log of a run, once.
pub async fn say(pool: &PgPool, run: &Run, line: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO log (execution, attempt, data) SELECT $1::bigint, $2::int, $3::bytea
           WHERE NOT EXISTS (SELECT FROM log WHERE execution = $1 AND attempt = $2 AND data = $3)"#,
        run.execution,
        run.attempt,
        line
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Removes up to `limit` tokens older than `before` whose run is over. Returns how many went.
pub async fn delete_ended(pool: &PgPool, before: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"DELETE FROM run_token WHERE hash = ANY(ARRAY(
               SELECT t.hash FROM run_token t WHERE t.created < $1 AND NOT EXISTS (
                   SELECT FROM execution e WHERE e.id = t.execution AND e.attempt = t.attempt AND e.status::text = 'running')
                   AND (t.expires <= clock_timestamp() OR NOT EXISTS (
                       SELECT FROM sensor_state x WHERE x.sensor = t.sensor AND x.epoch = t.epoch))
               LIMIT $2))"#,
        before,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Removes up to `limit` chains in which nothing happened since `before`. Returns how many went.
pub async fn delete_quiet_chains(pool: &PgPool, before: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"DELETE FROM chain WHERE root = ANY(ARRAY(
               SELECT root FROM chain WHERE updated < $1 ORDER BY updated LIMIT $2 FOR UPDATE SKIP LOCKED))"#,
        before,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
