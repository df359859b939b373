//! Table `action`, as far as others than packs and executions read it.

use serde_json::Value;
use sqlx::PgPool;

use crate::readable::Readable;

/// The schema of the parameters of an action that has secret ones.
#[derive(Debug)]
pub struct SecretSchema {
    /// `action.id`.
    pub action: i64,
    /// Its config version.
    pub version: i64,
    /// The schema; none that can be compiled when it cannot be read, or the action was put aside.
    pub schema: Value,
}

/// The schemas of those of these actions that have secret parameters.
pub async fn list_secret_schemas(pool: &PgPool, actions: &[i64]) -> sqlx::Result<Vec<SecretSchema>> {
    sqlx::query_as!(
        SecretSchema,
        r#"SELECT a.id AS action, a.config_version AS version, CASE WHEN f.reason IS NULL THEN a.param_schema END AS "schema!: Readable"
           FROM action a LEFT JOIN fuse f ON f.noun = 'action' AND f.thing = a.id AND f.version = a.config_version
           WHERE a.id = ANY($1) AND a.param_schema::text LIKE '%"secret": true%'"#,
        actions
    )
    .fetch_all(pool)
    .await
}
