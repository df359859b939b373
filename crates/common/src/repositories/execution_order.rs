//! Table `execution` as people give orders: run this, stop that, once more. Claims and ends are in [`super::execution`].

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use crate::readable::{Faults, Readable};

/// An execution as an order finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderedRow {
    /// `execution.id`.
    pub id: i64,
    /// Its status.
    pub status: String,
    /// Whether it should be cancelled.
    pub is_cancelling: bool,
    /// What it runs.
    pub action_ref: String,
    /// With which parameters.
    pub params: Value,
    /// Why these cannot be read; they are null.
    pub fault: Option<String>,
}

/// Finds an execution, and keeps others from changing it until the transaction ends.
pub async fn find_for_update(tx: &mut PgConnection, id: i64) -> sqlx::Result<Option<OrderedRow>> {
    sqlx::query!(
        r#"SELECT id, status::text AS "status!", cancel_requested IS NOT NULL AS "is_cancelling!", action_ref,
                  params AS "params!: Readable"
           FROM execution WHERE id = $1 FOR UPDATE"#,
        id
    )
    .map(|row| {
        let mut faults = Faults::default();
        OrderedRow {
            id: row.id,
            status: row.status,
            is_cancelling: row.is_cancelling,
            action_ref: row.action_ref,
            params: faults.take("params", row.params),
            fault: faults.into_reason(),
        }
    })
    .fetch_optional(tx)
    .await
}

/// Ends one that waits. `false`: it does not wait.
pub async fn cancel_requested(tx: &mut PgConnection, id: i64, reason: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE execution SET status = 'cancelled', error = $2, finished = clock_timestamp(), updated = clock_timestamp()
           WHERE id = $1 AND status::text = 'requested'"#,
        id,
        reason
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Asks the worker of one that runs to end it. `false`: it does not run, or was asked already.
pub async fn ask_to_cancel(tx: &mut PgConnection, id: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"UPDATE execution SET cancel_requested = clock_timestamp(), updated = clock_timestamp()
           WHERE id = $1 AND status::text = 'running' AND cancel_requested IS NULL"#,
        id
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Which executions an order is about. What is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// `requested` or `running`.
    pub status: Option<String>,
    /// What they run.
    pub action_ref: Option<String>,
    /// What rule fired.
    pub rule_ref: Option<String>,
    /// For an event of which trigger.
    pub trigger_ref: Option<String>,
    /// For which event.
    pub event: Option<i64>,
    /// Seconds since they were requested, at least.
    pub older_than: Option<f64>,
}

/// How many executions an order is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// They wait.
    pub requested: i64,
    /// They run, and were not asked to end.
    pub running: i64,
}

/// The newest execution.
pub async fn last_id(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT COALESCE(max(id), 0) AS "id!" FROM execution"#).fetch_one(pool).await
}

/// Counts what [`cancel_batch`] would cancel in all.
pub async fn count_wanted(pool: &PgPool, wanted: &Wanted) -> sqlx::Result<Counted> {
    sqlx::query_as!(
        Counted,
        r#"SELECT count(*) FILTER (WHERE status = 'requested') AS "requested!",
                  count(*) FILTER (WHERE status = 'running') AS "running!"
           FROM wanted_executions($1, $2, $3, $4, $5, $6)"#,
        wanted.status.as_deref(),
        wanted.action_ref.as_deref(),
        wanted.rule_ref.as_deref(),
        wanted.trigger_ref.as_deref(),
        wanted.event,
        wanted.older_than
    )
    .fetch_one(pool)
    .await
}

/// What [`cancel_batch`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// What it found. Less may have been cancelled, because others changed it meanwhile.
    pub found: i64,
    /// Those that waited, and are cancelled.
    pub requested: i64,
    /// Those that run, and whose workers were asked.
    pub running: i64,
}

/// Cancels up to `limit` of those that wait, and asks the workers of those that run, none newer than `last`.
///
/// What is looked for is found by the partial indexes, in their order: to sort it would read all that is left for each
/// batch. What is found is changed by its key, in the state that it is in then.
pub async fn cancel_batch(pool: &PgPool, wanted: &Wanted, last: i64, limit: i64) -> sqlx::Result<Batch> {
    sqlx::query_as!(
        Batch,
        r#"WITH found AS MATERIALIZED (
               SELECT id FROM wanted_executions($1, $2, $3, $4, $5, $6) WHERE id <= $7 LIMIT $8),
           locked AS MATERIALIZED (
               SELECT e.id, e.status::text AS status FROM execution e
               WHERE e.id = ANY(ARRAY(SELECT id FROM found)) AND e.status::text IN ('requested', 'running')
                 AND ($1::text IS NULL OR e.status::text = $1)
               ORDER BY e.id FOR UPDATE),
           ended AS (
               UPDATE execution e
               SET status = CASE l.status WHEN 'requested' THEN 'cancelled' ELSE l.status END::execution_status_enum,
                   error = CASE l.status WHEN 'requested' THEN 'it was cancelled before it began' ELSE e.error END,
                   finished = CASE l.status WHEN 'requested' THEN clock_timestamp() END,
                   cancel_requested = CASE l.status WHEN 'running' THEN clock_timestamp() END,
                   updated = clock_timestamp()
               FROM locked l WHERE e.id = l.id AND e.status::text = l.status
               RETURNING l.status)
           SELECT (SELECT count(*) FROM found) AS "found!", count(*) FILTER (WHERE status = 'requested') AS "requested!",
                  count(*) FILTER (WHERE status = 'running') AS "running!" FROM ended"#,
        wanted.status.as_deref(),
        wanted.action_ref.as_deref(),
        wanted.rule_ref.as_deref(),
        wanted.trigger_ref.as_deref(),
        wanted.event,
        wanted.older_than,
        last,
        limit
    )
    .fetch_one(pool)
    .await
}

/// What a worker runs and should end: execution and attempt.
pub async fn list_cancelling(pool: &PgPool, worker: i64) -> sqlx::Result<Vec<(i64, i32)>> {
    let rows = sqlx::query!(
        "SELECT id, attempt FROM execution WHERE worker = $1 AND status = 'running' AND cancel_requested IS NOT NULL",
        worker
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.attempt)).collect())
}

/// An execution that was born by an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requested {
    /// `execution.id`.
    pub id: i64,
    /// Whether it waits for its turn, because its action has a bound.
    pub waits: bool,
}

/// Requests one execution outside any rule: `attune action run`. `None`: the action is away or disabled.
pub async fn request(pool: &PgPool, action_ref: &str, params: &Value) -> sqlx::Result<Option<Requested>> {
    sqlx::query_as!(
        Requested,
        r#"INSERT INTO execution (action, action_ref, runtime, params, pack_digest, turn)
           SELECT a.id, a.ref, a.runtime, $2, p.digest, CASE WHEN a.max_concurrent IS NOT NULL THEN FALSE END FROM action a LEFT JOIN pack p ON p.id = a.pack
           WHERE a.ref = $1 AND a.enabled AND p.enabled IS NOT FALSE
           RETURNING id, turn IS NOT NULL AS "waits!""#,
        action_ref,
        params
    )
    .fetch_optional(pool)
    .await
}

/// Requests one that has ended once more, with these parameters, the action as it is now, and no enforcement. `None`: the
/// action is away or disabled.
pub async fn request_again(pool: &PgPool, id: i64, params: &Value) -> sqlx::Result<Option<Requested>> {
    sqlx::query_as!(
        Requested,
        r#"INSERT INTO execution (action, action_ref, runtime, params, pack_digest, rule_ref, trigger_ref, retry_of, turn)
           SELECT a.id, a.ref, a.runtime, $2, p.digest, e.rule_ref, e.trigger_ref, COALESCE(e.retry_of, e.id),
                  CASE WHEN a.max_concurrent IS NOT NULL THEN FALSE END
           FROM execution e JOIN action a ON a.ref = e.action_ref LEFT JOIN pack p ON p.id = a.pack
           WHERE e.id = $1 AND e.finished IS NOT NULL AND a.enabled AND p.enabled IS NOT FALSE
           RETURNING id, turn IS NOT NULL AS "waits!""#,
        id,
        params
    )
    .fetch_optional(pool)
    .await
}
