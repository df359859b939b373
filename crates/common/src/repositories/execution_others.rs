//! Table `execution`: what is due of other actions than those that have all the places.

use sqlx::PgPool;

use super::execution::{Claimed, ClaimedRow};
use crate::readable::Readable;
use crate::registration::Held;

/// How far along the queue of a runtime is looked for others.
const DEEP: i64 = 20_000;

/// Claims as [`super::execution::claim`] does, but nothing of these actions. A statement of its own: it may walk past much of
/// the queue, which no other claim does.
pub async fn claim(
    pool: &PgPool,
    held: Held,
    runtimes: &[i64],
    actions: &[String],
    places: i64,
) -> sqlx::Result<Vec<Claimed>> {
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"WITH me AS MATERIALIZED (
               SELECT id FROM worker WHERE id = $1 AND epoch = $2 AND lease_until > clock_timestamp() FOR SHARE),
           others AS MATERIALIZED (
               SELECT d.id FROM unnest($3::bigint[]) AS r (runtime), LATERAL (
                   SELECT e.id, e.not_before, e.action_ref FROM execution e
                   WHERE e.runtime = r.runtime AND e.status = 'requested' AND e.turn IS NOT FALSE
                     AND e.not_before <= statement_timestamp()
                   ORDER BY e.not_before, e.id LIMIT $6) AS d
               WHERE d.action_ref <> ALL($5::text[]) ORDER BY d.not_before, d.id LIMIT $4),
           due AS MATERIALIZED (
               SELECT e.id FROM execution e
               WHERE e.id = ANY(ARRAY(SELECT id FROM others)) AND e.status::text = 'requested' FOR UPDATE SKIP LOCKED),
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
        places,
        actions,
        DEEP
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(ClaimedRow::read).collect())
}
