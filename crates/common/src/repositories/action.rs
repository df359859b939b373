//! Table `action`, as far as others than packs and executions read it.

use serde_json::Value;
use sqlx::PgPool;

/// The schemas of the parameters of those actions that have secret ones, by `action.id`.
pub async fn list_secret_schemas(pool: &PgPool, actions: &[i64]) -> sqlx::Result<Vec<(i64, Value)>> {
    let rows = sqlx::query!(
        r#"SELECT id, param_schema FROM action WHERE id = ANY($1) AND param_schema::text LIKE '%"secret": true%'"#,
        actions
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.param_schema)).collect())
}
