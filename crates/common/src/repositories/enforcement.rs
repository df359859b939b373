//! Table `enforcement`, for who looks at it later; ingest writes it.

use sqlx::PgPool;

/// Enforcements that are looked at, the newest ones.
const NEWEST: i64 = 10_000;

/// A rule that did not come to its end for want of work.
#[derive(Debug)]
pub struct OutOfWork {
    /// Its ref.
    pub rule: String,
    /// How often, within a day.
    pub count: i64,
}

/// Rules among those that fired last which did not come to their end for want of work, within a day.
pub async fn list_out_of_work(pool: &PgPool) -> sqlx::Result<Vec<OutOfWork>> {
    sqlx::query_as!(
        OutOfWork,
        r#"SELECT rule_ref AS "rule!", count(*) AS "count!" FROM enforcement
           WHERE id > (SELECT max(id) FROM enforcement) - $1 AND status = 'failed'
             AND reason LIKE '%: out of work: %' AND created > NOW() - INTERVAL '1 day'
           GROUP BY rule_ref ORDER BY count(*) DESC, rule_ref"#,
        NEWEST
    )
    .fetch_all(pool)
    .await
}
