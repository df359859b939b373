//! Table `notice`: what Attune noticed about itself and has not told the rules yet. Triggers of the tables that notices are
//! about insert; the executor takes them and deletes. It is all but empty always, so its key is its only index.

use serde_json::Value;
use sqlx::PgPool;

use crate::readable::Readable;

/// The channel on which the database says that there are new ones.
pub const CHANNEL: &str = "attune_notice";

/// Something that happened, for rules to act on.
#[derive(Debug)]
pub struct Notice {
    /// Names it for ever: the key of its event.
    pub id: i64,
    /// The trigger of its event.
    pub trigger_ref: String,
    /// The payload of its event.
    pub payload: Value,
}

/// The oldest ones after `after`, for triggers that exist and are not among the `held`. While an upgrade is under way the
/// others' may be about to come.
pub async fn list(pool: &PgPool, after: i64, held: &[String], limit: i64) -> sqlx::Result<Vec<Notice>> {
    sqlx::query_as!(
        Notice,
        r#"SELECT id, trigger_ref, payload AS "payload!: Readable" FROM notice n
           WHERE id > $1 AND trigger_ref <> ALL($2) AND EXISTS (SELECT FROM trigger t WHERE t.ref = n.trigger_ref)
           ORDER BY id LIMIT $3"#,
        after,
        held,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Removes those that were told. Nothing happens when another executor was faster.
pub async fn delete(pool: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM notice WHERE id = ANY($1)", ids).execute(pool).await.map(drop)
}

/// Removes those that have waited for longer than the key of an event counts: nobody could tell any more whether they were
/// told. Returns how many.
pub async fn delete_stale(pool: &PgPool) -> sqlx::Result<u64> {
    let done = sqlx::query!("DELETE FROM notice WHERE created < clock_timestamp() - INTERVAL '7 days'");
    Ok(done.execute(pool).await?.rows_affected())
}
