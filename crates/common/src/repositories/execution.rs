//! Table `execution`: the queue of work, claimed by runtime and fenced by attempt number.
//!
//! `idx_execution_requested` serves [`claim`], `idx_execution_running` serves [`requeue_lost`]. The state in a row is the
//! place in the queue; every statement names the state it expects. Plans are kept (see [`crate::db`]), also those made while
//! the table was empty, so each statement leaves the planner one index to find its rows by: where that is the primary key,
//! the state is compared as text, which keeps the partial indexes out. Counters that stand at the end of their type, which only
//! an operator can have written, are raised no further: one such row must not fail the statement and all rows beside it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use crate::readable::{Faults, Readable};
use crate::registration::Held;

/// Losses in a row after which an execution is given up.
pub const MAX_LOSSES: i16 = 5;

/// A claimed execution with all that its run needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// `execution.id`.
    pub id: i64,
    /// Names this run in every later write.
    pub attempt: i32,
    /// Attempts so far that ended by themselves; only those count against `max_attempts`.
    pub lost: i16,
    /// What runs.
    pub action_ref: String,
    /// For the environment of the run.
    pub rule_ref: Option<String>,
    /// For the environment of the run.
    pub trigger_ref: Option<String>,
    /// The content to run from.
    pub pack_digest: Option<String>,
    /// For the program's stdin.
    pub params: Value,
    /// Why a column of it or of its action cannot be read; that one is null.
    pub fault: Option<String>,
    /// The rest comes from the action as it is now; all `None` once it was deleted.
    pub action: Option<ActionPlan>,
}

/// How an action runs, as its row says at the time of the claim.
#[derive(Debug, Clone)]
pub struct ActionPlan {
    /// `action.id`.
    pub id: i64,
    /// `runtime.id`.
    pub runtime: Option<i64>,
    /// Path in the pack.
    pub entrypoint: String,
    /// Seconds; `None`: the worker's default.
    pub timeout: Option<f64>,
    /// The retry policy, unparsed.
    pub retry: Value,
    /// `warm` or `process`; `None`: a fresh process.
    pub isolation: Option<String>,
    /// `none`, `process`, `namespace` or `strict`; `None`: `none`.
    pub sandbox: Option<String>,
    /// Its own limits, unparsed.
    pub limits: Value,
    /// What its runs may ask of the API, unparsed.
    pub api: Value,
}

/// Claims up to `slots` due executions for the runtimes that this worker has, the longest due first.
///
/// What is due is told by `statement_timestamp()`: a clock that moves on within the statement can not bound an index scan,
/// and all that waits for its next attempt would be read.
///
/// Nothing is claimed once the caller's epoch or lease is gone: the worker's row is share-locked, so a take-over either sees
/// these executions running or keeps them from being claimed.
pub async fn claim(pool: &PgPool, held: Held, runtimes: &[i64], slots: i64) -> sqlx::Result<Vec<Claimed>> {
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"WITH me AS MATERIALIZED (
               SELECT id FROM worker WHERE id = $1 AND epoch = $2 AND lease_until > clock_timestamp() FOR SHARE),
           due AS MATERIALIZED (
               SELECT d.id FROM unnest($3::bigint[]) AS r (runtime), LATERAL (
                   SELECT e.id, e.not_before FROM execution e
                   WHERE e.runtime = r.runtime AND e.status = 'requested' AND e.turn IS NOT FALSE
                     AND e.not_before <= statement_timestamp()
                   ORDER BY e.not_before, e.id LIMIT $4 FOR UPDATE SKIP LOCKED) AS d
               ORDER BY d.not_before, d.id LIMIT $4),
           claimed AS (
               UPDATE execution e SET status = 'running', worker = me.id, started = clock_timestamp(), updated = clock_timestamp()
               FROM me WHERE e.id = ANY(ARRAY(SELECT id FROM due)) AND e.status::text = 'requested'
               RETURNING e.id, e.attempt, e.lost, e.action, e.action_ref, e.rule_ref, e.trigger_ref, e.pack_digest, e.params)
           SELECT c.id AS "id!", c.attempt AS "attempt!", c.lost AS "lost!", c.action_ref AS "action_ref!", c.rule_ref,
                  c.trigger_ref, c.pack_digest, c.params AS "params!: Readable",
                  a.id AS "action?", a.runtime, a.entrypoint AS "entrypoint?", a.timeout, a.retry AS "retry!: Readable",
                  a.isolation, a.sandbox, a.limits AS "limits!: Readable", a.api AS "api!: Readable"
           FROM claimed c LEFT JOIN action a ON a.id = c.action ORDER BY c.id"#,
        held.worker,
        held.epoch,
        runtimes,
        slots
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(ClaimedRow::read).collect())
}

/// What a claim answers with.
pub(super) struct ClaimedRow {
    pub(super) id: i64,
    pub(super) attempt: i32,
    pub(super) lost: i16,
    pub(super) action_ref: String,
    pub(super) rule_ref: Option<String>,
    pub(super) trigger_ref: Option<String>,
    pub(super) pack_digest: Option<String>,
    pub(super) params: Readable,
    pub(super) action: Option<i64>,
    pub(super) runtime: Option<i64>,
    pub(super) entrypoint: Option<String>,
    pub(super) timeout: Option<f64>,
    pub(super) retry: Readable,
    pub(super) isolation: Option<String>,
    pub(super) sandbox: Option<String>,
    pub(super) limits: Readable,
    pub(super) api: Readable,
}

impl ClaimedRow {
    pub(super) fn read(self) -> Claimed {
        let mut faults = Faults::default();
        let params = faults.take("params", self.params);
        let (retry, limits) =
            (faults.take("action.retry", self.retry), faults.take("action.limits", self.limits));
        let api = faults.take("action.api", self.api);
        Claimed {
            id: self.id,
            attempt: self.attempt,
            lost: self.lost,
            action_ref: self.action_ref,
            rule_ref: self.rule_ref,
            trigger_ref: self.trigger_ref,
            pack_digest: self.pack_digest,
            params,
            fault: faults.into_reason(),
            action: self.action.map(|id| ActionPlan {
                id,
                runtime: self.runtime,
                entrypoint: self.entrypoint.unwrap_or_default(),
                timeout: self.timeout,
                retry,
                isolation: self.isolation,
                sandbox: self.sandbox,
                limits,
                api,
            }),
        }
    }
}

/// Gives claimed executions back that were not begun, each with its attempt: to where they stood in the queue, as if they had not
/// been claimed. One that should be cancelled meanwhile is. Returns how many there were.
pub async fn unclaim(pool: &PgPool, held: Held, claimed: &[(i64, i32)]) -> sqlx::Result<u64> {
    let (ids, attempts): (Vec<_>, Vec<_>) = claimed.iter().copied().unzip();
    let done = sqlx::query!(
        r#"WITH c AS MATERIALIZED (
               SELECT e.id, e.is_cancelling
               FROM (SELECT * FROM unnest($2::bigint[], $3::int[]) AS u (id, attempt) ORDER BY id) u
               CROSS JOIN LATERAL (
                   SELECT e.id, e.cancel_requested IS NOT NULL AS is_cancelling FROM execution e
                   WHERE e.id = u.id AND e.attempt = u.attempt AND e.worker = $1 AND e.status::text = 'running' FOR UPDATE) e)
           UPDATE execution e
           SET status = CASE WHEN c.is_cancelling THEN 'cancelled' ELSE 'requested' END::execution_status_enum,
               worker = CASE WHEN c.is_cancelling THEN e.worker END, started = CASE WHEN c.is_cancelling THEN e.started END,
               finished = CASE WHEN c.is_cancelling THEN clock_timestamp() END,
               error = CASE WHEN c.is_cancelling THEN 'it was cancelled before it began' END, updated = clock_timestamp()
           FROM c WHERE e.id = c.id AND e.status::text = 'running'"#,
        held.worker,
        &ids,
        &attempts
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// When the next execution that is not due yet becomes so, for the worker's sleep.
pub async fn next_due(pool: &PgPool, runtimes: &[i64]) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"SELECT readable_time(min(d.not_before)) FROM unnest($1::bigint[]) AS r (runtime), LATERAL (
               SELECT e.not_before FROM execution e
               WHERE e.runtime = r.runtime AND e.status = 'requested' AND e.turn IS NOT FALSE
                 AND e.not_before > statement_timestamp()
               ORDER BY e.not_before LIMIT 1) AS d"#,
        runtimes
    )
    .fetch_one(pool)
    .await
}

/// How attempts ended, one entry per attempt, as columns.
#[derive(Debug, Default)]
pub struct Finishes {
    /// `execution.id`.
    pub execution: Vec<i64>,
    /// The attempt that ended.
    pub attempt: Vec<i32>,
    /// `succeeded`, `failed`, `timed_out` or `cancelled`.
    pub status: Vec<String>,
    /// What it printed or returned.
    pub result: Vec<Option<Value>>,
    /// Why it did not succeed.
    pub error: Vec<Option<String>>,
    /// Seconds until the next attempt; `None`: this was the last.
    pub retry_in: Vec<Option<f64>>,
    /// What is left of the log.
    pub log: Vec<Vec<u8>>,
}

/// An attempt whose end is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// `execution.id`.
    pub id: i64,
    /// Whether another execution of the action may have its turn now.
    pub had_turn: bool,
}

/// Records how attempts ended. Returns the executions that were still running that attempt on this worker; for the others
/// nothing changed: their attempt was declared lost. What should be cancelled gets no other attempt, nor does what has a number
/// that no other follows; and what waits for one gives up its turn.
pub async fn finish(pool: &PgPool, worker: i64, finishes: &Finishes) -> sqlx::Result<Vec<Finished>> {
    sqlx::query_as!(
        Finished,
        r#"WITH input AS MATERIALIZED (
               SELECT * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::jsonb[], $6::text[], $7::float8[], $8::bytea[])
                   AS i (id, attempt, status, result, error, retry_in, log)),
           locked AS MATERIALIZED (
               SELECT id, attempt, started, cancel_requested IS NOT NULL AS cancelling FROM execution
               WHERE id = ANY($2) AND worker = $1 AND status::text = 'running' ORDER BY id FOR UPDATE),
           mine AS MATERIALIZED (
               SELECT id, attempt, i.result, i.error, i.log, l.started,
                      CASE WHEN l.cancelling AND i.retry_in IS NOT NULL THEN 'cancelled' ELSE i.status END AS status,
                      CASE WHEN NOT l.cancelling AND attempt < 2147483647 THEN i.retry_in END AS retry_in
               FROM input i JOIN locked l USING (id, attempt)),
           past AS (
               INSERT INTO attempt (execution, attempt, worker, status, error, started)
               SELECT id, attempt, $1, status, error, started FROM mine WHERE retry_in IS NOT NULL),
           logged AS (
               INSERT INTO log (execution, attempt, data) SELECT id, attempt, log FROM mine WHERE length(log) > 0)
           UPDATE execution e
           SET status = CASE WHEN m.retry_in IS NULL THEN m.status::execution_status_enum ELSE 'requested' END,
               attempt = CASE WHEN m.retry_in IS NULL THEN e.attempt ELSE e.attempt + 1 END,
               worker = CASE WHEN m.retry_in IS NULL THEN e.worker END,
               started = CASE WHEN m.retry_in IS NULL THEN e.started END,
               finished = CASE WHEN m.retry_in IS NULL THEN clock_timestamp() END,
               not_before = CASE WHEN m.retry_in IS NULL THEN e.not_before ELSE clock_timestamp() + make_interval(secs => m.retry_in) END,
               turn = CASE WHEN e.turn THEN m.retry_in IS NULL END, result = m.result, error = m.error, lost_in_row = 0,
               updated = clock_timestamp()
           FROM mine m WHERE e.id = m.id
           RETURNING e.id, e.turn IS NOT NULL AS "had_turn!""#,
        worker,
        &finishes.execution,
        &finishes.attempt,
        &finishes.status,
        &finishes.result as &[Option<Value>],
        &finishes.error as &[Option<String>],
        &finishes.retry_in as &[Option<f64>],
        &finishes.log
    )
    .fetch_all(pool)
    .await
}

/// Appends to the log of an attempt that is still running.
pub async fn append_log(
    pool: &PgPool,
    worker: i64,
    execution: i64,
    attempt: i32,
    data: &[u8],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"INSERT INTO log (execution, attempt, data)
           SELECT id, attempt, $4 FROM execution WHERE id = $1 AND attempt = $2 AND worker = $3 AND status = 'running'"#,
        execution,
        attempt,
        worker,
        data
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Why a worker's running executions go back into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The worker died, or the answer to its claim did. Too many in a row and the action itself is under suspicion.
    Died,
    /// An operator stopped the worker, which says nothing about the action.
    Stopped,
}

/// Puts the running executions of a worker, but for those in `kept`, back into the queue as a new attempt; those that may
/// run only once, or were lost too often in a row, are abandoned, and those that should be cancelled are.
pub(super) async fn requeue_lost(
    tx: &mut PgConnection,
    worker: i64,
    kept: &[i64],
    loss: Loss,
) -> sqlx::Result<u64> {
    let in_row = i16::from(loss == Loss::Died);
    let done = sqlx::query!(
        r#"WITH lost AS MATERIALIZED (
               SELECT e.id, e.attempt, e.started,
                      CASE WHEN e.cancel_requested IS NOT NULL THEN 'cancelled'
                           WHEN COALESCE(a.at_most_once, FALSE) OR e.lost_in_row >= $2::smallint - $4::smallint OR e.attempt = 2147483647
                           THEN 'abandoned' END AS ending,
                      CASE WHEN e.cancel_requested IS NOT NULL THEN 'it was cancelled, and its worker was lost'
                           WHEN COALESCE(a.at_most_once, FALSE) THEN 'its worker was lost, and the action may run at most once'
                           WHEN e.lost_in_row >= $2::smallint - $4::smallint
                           THEN 'its worker was lost ' || (e.lost_in_row::int + $4::smallint) || ' times in a row'
                           ELSE 'its worker was lost, and no other attempt has a number' END AS reason
               FROM execution e LEFT JOIN action a ON a.id = e.action
               WHERE e.worker = $1 AND e.status = 'running' AND e.id <> ALL($3) ORDER BY e.id FOR UPDATE OF e),
           past AS (
               INSERT INTO attempt (execution, attempt, worker, status, error, started)
               SELECT id, attempt, $1, 'lost', CASE $4 WHEN 1 THEN 'the worker was lost' ELSE 'the worker was stopped' END, started FROM lost WHERE ending IS NULL)
           UPDATE execution e
           SET status = COALESCE(l.ending, 'requested')::execution_status_enum,
               attempt = CASE WHEN l.ending IS NULL THEN e.attempt + 1 ELSE e.attempt END,
               worker = CASE WHEN l.ending IS NOT NULL THEN e.worker END,
               started = CASE WHEN l.ending IS NOT NULL THEN e.started END,
               finished = CASE WHEN l.ending IS NOT NULL THEN clock_timestamp() END,
               error = CASE WHEN l.ending IS NOT NULL THEN l.reason END,
               not_before = clock_timestamp(),
               lost = LEAST(e.lost, 32766) + 1, lost_in_row = LEAST(e.lost_in_row, 32766) + $4::smallint, updated = clock_timestamp()
           FROM lost l WHERE e.id = l.id AND e.id = ANY(ARRAY(SELECT id FROM lost))"#,
        worker,
        MAX_LOSSES,
        kept,
        in_row
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// What of a log to read next.
#[derive(Debug, Clone, Copy)]
pub struct LogPart {
    /// Whose.
    pub execution: i64,
    /// One attempt; without it all of them, one after the other.
    pub attempt: Option<i32>,
    /// Attempt and id of the piece before; the first piece comes after `(0, 0)`.
    pub after: (i32, i64),
}

/// The next pieces of a log, oldest first: those that begin within so many bytes.
pub async fn log(pool: &PgPool, part: LogPart, bytes: i64) -> sqlx::Result<Vec<LogPiece>> {
    sqlx::query_as!(
        LogPiece,
        r#"SELECT l.id, l.attempt, l.data
           FROM log l JOIN (SELECT id, sum(octet_length(data)) OVER (ORDER BY attempt, id) - octet_length(data) AS ahead
                            FROM log WHERE execution = $1 AND ($2::int IS NULL OR attempt = $2) AND (attempt, id) > ($3, $4)) p
                ON p.id = l.id
           WHERE p.ahead < $5 ORDER BY l.attempt, l.id"#,
        part.execution,
        part.attempt,
        part.after.0,
        part.after.1,
        bytes
    )
    .fetch_all(pool)
    .await
}

/// A piece of a log.
#[derive(Debug)]
pub struct LogPiece {
    /// `log.id`.
    pub id: i64,
    /// Which attempt wrote it.
    pub attempt: i32,
    /// The bytes as they came.
    pub data: Vec<u8>,
}
