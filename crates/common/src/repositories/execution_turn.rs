//! Table `execution`: whose turn it is, of actions that may run only so often at once.
//!
//! Who gives turns holds the rows of the actions, and counts in a statement that began after it got them. So what the
//! one before gave is counted, and two never give more than an action allows. An action that another one holds is left out:
//! it gives turns itself, or it is a load, which must not hold up the turns of all other actions.
//!
//! `idx_execution_turn` serves all of these. What has a turn and what waits for one stand apart in it.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};

/// What one round changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Executions that may be claimed now: they got a turn, or need none any more.
    pub turns: u64,
    /// Executions that were cancelled because enough others run.
    pub skipped: u64,
}

/// What there is to do, beside giving turns.
#[derive(Debug, Clone)]
pub struct Todo {
    /// Whether any action has a bound.
    pub is_any_bounded: bool,
    /// Whether an action got a bound, and its executions are not all counted yet.
    pub is_any_new: bool,
    /// Actions without a bound whose executions wait: they lost it.
    pub unbounded: Vec<i64>,
}

/// Looks whether there is anything to do. Actions are read off the index, however many executions wait.
pub async fn find_todo(executor: impl PgExecutor<'_>) -> sqlx::Result<Todo> {
    sqlx::query_as!(
        Todo,
        r#"WITH RECURSIVE waiting AS (
               (SELECT action FROM execution WHERE status = 'requested' AND turn IS FALSE ORDER BY action LIMIT 1)
               UNION ALL
               SELECT (SELECT e.action FROM execution e
                       WHERE e.status = 'requested' AND e.turn IS FALSE AND e.action > w.action ORDER BY e.action LIMIT 1)
               FROM waiting w WHERE w.action IS NOT NULL)
           SELECT EXISTS (SELECT FROM action WHERE max_concurrent IS NOT NULL) AS "is_any_bounded!",
                  EXISTS (SELECT FROM newly_bounded) AS "is_any_new!",
                  ARRAY(SELECT w.action FROM waiting w WHERE w.action IS NOT NULL AND NOT EXISTS (
                      SELECT FROM action a WHERE a.id = w.action AND a.max_concurrent IS NOT NULL)) AS "unbounded!: Vec<i64>""#
    )
    .fetch_one(executor)
    .await
}

/// Takes up to `limit` executions of these actions out of the wait, as far as the actions have no bound. Returns how many.
pub async fn release(pool: &PgPool, actions: &[i64], limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"WITH free AS MATERIALIZED (
               SELECT u.action FROM unnest($1::bigint[]) AS u (action)
               WHERE NOT EXISTS (SELECT FROM action a WHERE a.id = u.action AND a.max_concurrent IS NOT NULL)),
           found AS MATERIALIZED (
               SELECT e.id FROM execution e
               WHERE e.action = ANY(ARRAY(SELECT action FROM free)) AND e.status = 'requested'
                 AND e.turn IS FALSE
               LIMIT $2 FOR UPDATE SKIP LOCKED)
           UPDATE execution e SET turn = NULL
           WHERE e.id = ANY(ARRAY(SELECT id FROM found)) AND e.status::text = 'requested' AND e.turn::text = 'false'"#,
        actions,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// An action that got a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewlyBounded {
    /// `action.id`.
    pub action: i64,
    /// When it got it the last time.
    pub since: DateTime<Utc>,
}

/// Actions that got a bound, and whose executions are not all counted yet.
pub async fn list_newly_bounded(pool: &PgPool) -> sqlx::Result<Vec<NewlyBounded>> {
    sqlx::query_as!(
        NewlyBounded,
        r#"SELECT action, readable_time(since) AS "since!" FROM newly_bounded ORDER BY action"#
    )
    .fetch_all(pool)
    .await
}

/// Up to `limit` executions of an action that were born when it had no bound, and have not ended.
pub async fn list_uncounted(pool: &PgPool, action: i64, limit: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM (
               SELECT id, action FROM execution WHERE status = 'requested' AND turn IS NOT FALSE AND turn IS NULL
               UNION ALL SELECT id, action FROM execution WHERE status = 'running' AND turn IS NULL) AS e
           WHERE e.action = $1 LIMIT $2"#,
        action,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Counts these executions of an action that has a bound: what runs has a turn, what does not waits for one. Returns how many.
pub async fn count_in(pool: &PgPool, action: i64, executions: &[i64]) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"WITH found AS MATERIALIZED (
               SELECT e.id FROM execution e
               WHERE e.id = ANY($2) AND e.status::text IN ('requested', 'running') AND e.turn::text IS NULL
                 AND EXISTS (SELECT FROM action a WHERE a.id = $1 AND a.max_concurrent IS NOT NULL)
               ORDER BY e.id FOR UPDATE OF e)
           UPDATE execution e SET turn = e.status::text = 'running'
           WHERE e.id = ANY(ARRAY(SELECT id FROM found)) AND e.status::text IN ('requested', 'running')"#,
        action,
        executions
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// The executions of an action are counted, unless it got its bound once more meanwhile.
pub async fn forget_newly_bounded(pool: &PgPool, counted: NewlyBounded) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM newly_bounded WHERE action = $1 AND readable_time(since) = $2",
        counted.action,
        counted.since
    )
    .execute(pool)
    .await
    .map(drop)
}

/// An action whose executions wait for turns, and which the caller holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// `action.id`.
    pub action: i64,
    /// Whether what has no turn is cancelled.
    pub skips: bool,
}

/// Locks the actions that have a bound and executions which are due and wait for their turn, but for those that another
/// transaction holds.
pub async fn lock_actions(tx: &mut PgConnection) -> sqlx::Result<Vec<Holding>> {
    sqlx::query_as!(
        Holding,
        r#"SELECT a.id AS action, a.overlap = 'skip' AS "skips!" FROM action a
           WHERE a.max_concurrent IS NOT NULL AND EXISTS (
               SELECT FROM execution e
               WHERE e.action = a.id AND e.status = 'requested' AND e.turn IS FALSE
                 AND e.not_before <= statement_timestamp())
           ORDER BY a.id FOR NO KEY UPDATE SKIP LOCKED"#
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
                   WHERE e.action = r.id AND e.status = 'requested' AND e.turn IS FALSE
                     AND e.not_before <= statement_timestamp()
                   ORDER BY e.not_before, e.id LIMIT GREATEST(r.free, 0) FOR UPDATE SKIP LOCKED) AS n)
           UPDATE execution e SET turn = TRUE, updated = clock_timestamp()
           WHERE e.id = ANY(ARRAY(SELECT id FROM next)) AND e.status::text = 'requested' AND e.turn::text = 'false'"#,
        actions
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Cancels what is due and has no turn, as far as all turns of its action are taken: at most `limit` executions of each.
///
/// So neither what came after the turns were given is cancelled, nor what was passed over because another transaction held
/// it. What waits for another attempt stays too: its action did begin it.
pub async fn skip(tx: &mut PgConnection, actions: &[i64], limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"WITH full_up AS MATERIALIZED (
               SELECT a.id, a.max_concurrent FROM action a
               WHERE a.id = ANY($1) AND a.overlap = 'skip' AND a.max_concurrent <= (
                   SELECT count(*) FROM execution e
                   WHERE e.action = a.id AND e.turn IS TRUE AND e.status IN ('requested', 'running'))),
           late AS MATERIALIZED (
               SELECT n.id, f.max_concurrent FROM full_up f, LATERAL (
                   SELECT e.id FROM execution e
                   WHERE e.action = f.id AND e.status = 'requested' AND e.turn IS FALSE
                     AND e.not_before <= statement_timestamp() AND e.attempt = 1
                   ORDER BY e.not_before, e.id LIMIT $2 FOR UPDATE SKIP LOCKED) AS n)
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
