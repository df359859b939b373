//! Table `execution`: whose turn it is, of actions that may run only so often at once.
//!
//! Who gives turns holds the rows of the actions, and counts in a statement that began after it got them. So what the
//! one before gave is counted, and two never give more than an action allows.

use sqlx::{PgConnection, PgExecutor};

/// What one round changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Executions that may be claimed now: they got a turn, or need none any more.
    pub turns: u64,
    /// Executions that were cancelled because enough others run.
    pub skipped: u64,
}

/// Whether any action has a bound.
pub async fn is_any_bounded(executor: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM action WHERE max_concurrent IS NOT NULL) AS "is_bounded!""#
    )
    .fetch_one(executor)
    .await
}

/// Actions without a bound whose executions wait: those were born while the action lost it. They are read off the index,
/// however many executions wait.
pub async fn list_unbounded(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"WITH RECURSIVE waiting AS (
               SELECT min(action) AS action FROM execution WHERE status = 'requested' AND turn IS FALSE
               UNION ALL
               SELECT (SELECT min(e.action) FROM execution e WHERE e.status = 'requested' AND e.turn IS FALSE AND e.action > w.action)
               FROM waiting w WHERE w.action IS NOT NULL)
           SELECT w.action AS "action!" FROM waiting w
           WHERE w.action IS NOT NULL AND NOT EXISTS (SELECT FROM action a WHERE a.id = w.action AND a.max_concurrent IS NOT NULL)"#
    )
    .fetch_all(executor)
    .await
}

/// Takes the executions of these actions out of the wait.
pub async fn release(executor: impl PgExecutor<'_>, actions: &[i64]) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "UPDATE execution SET turn = NULL WHERE action = ANY($1) AND status = 'requested' AND turn IS FALSE",
        actions
    )
    .execute(executor)
    .await?;
    Ok(done.rows_affected())
}

/// Locks the actions that have a bound and executions which are due and wait for their turn.
pub async fn lock_actions(tx: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"SELECT a.id FROM action a
           WHERE a.max_concurrent IS NOT NULL AND EXISTS (
               SELECT FROM execution e WHERE e.action = a.id AND e.status = 'requested' AND e.turn IS FALSE
               AND e.not_before <= statement_timestamp())
           ORDER BY a.id FOR NO KEY UPDATE"#
    )
    .fetch_all(tx)
    .await
}

/// Gives turns to the executions of these actions, which are locked, the longest due first.
pub async fn give(tx: &mut PgConnection, actions: &[i64]) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"WITH room AS MATERIALIZED (
               SELECT a.id, a.max_concurrent - (
                   SELECT count(*) FROM execution e
                   WHERE e.action = a.id AND e.turn IS TRUE AND e.status IN ('requested', 'running')) AS free
               FROM action a WHERE a.id = ANY($1)),
           next AS MATERIALIZED (
               SELECT n.id FROM room r, LATERAL (
                   SELECT e.id FROM execution e
                   WHERE e.action = r.id AND e.status = 'requested' AND e.turn IS FALSE AND e.not_before <= statement_timestamp()
                   ORDER BY e.not_before, e.id LIMIT GREATEST(r.free, 0) FOR UPDATE SKIP LOCKED) AS n)
           UPDATE execution e SET turn = TRUE, updated = clock_timestamp()
           WHERE e.id = ANY(ARRAY(SELECT id FROM next)) AND e.status::text = 'requested' AND e.turn::text = 'false'"#,
        actions
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Cancels what is due and still has no turn, where the action wants that: at most `limit` executions of each.
pub async fn skip(tx: &mut PgConnection, actions: &[i64], limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"WITH late AS MATERIALIZED (
               SELECT n.id, a.max_concurrent FROM action a, LATERAL (
                   SELECT e.id FROM execution e
                   WHERE e.action = a.id AND e.status = 'requested' AND e.turn IS FALSE AND e.not_before <= statement_timestamp()
                   ORDER BY e.not_before, e.id LIMIT $2 FOR UPDATE SKIP LOCKED) AS n
               WHERE a.id = ANY($1) AND a.overlap = 'skip')
           UPDATE execution e
           SET status = 'cancelled', error = 'skipped: ' || l.max_concurrent || ' of this action are running',
               finished = clock_timestamp(), updated = clock_timestamp()
           FROM late l WHERE e.id = l.id AND e.status::text = 'requested'"#,
        actions,
        limit
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
