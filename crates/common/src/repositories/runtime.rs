//! Table `runtime`: one row per language. `ref` is unique and serves every lookup by name.

use serde_json::Value;
use sqlx::{PgExecutor, query, query_as};

use crate::models::Runtime;
use crate::readable::Readable;

/// What a pack says of a runtime, or an operator; the rest of the row is the database's.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRuntime<'a> {
    /// The unique dotted name.
    pub r#ref: &'a str,
    /// The ref of the pack that it belongs to, which must be loaded.
    pub pack_ref: Option<&'a str>,
    /// What people call it.
    pub name: &'a str,
    /// What it is, in words.
    pub description: Option<&'a str>,
    /// How to find out whether a machine has it.
    pub distributions: &'a Value,
    /// How to install it.
    pub installation: Option<&'a Value>,
    /// How it runs its code.
    pub execution: &'a Value,
    /// Other names that people call it.
    pub aliases: &'a [String],
}

/// Every runtime, ordered by ref.
pub async fn list(executor: impl PgExecutor<'_>) -> Result<Vec<Runtime>, sqlx::Error> {
    select(executor, None, None).await
}

/// The runtime of this ref, if there is one.
pub async fn find(executor: impl PgExecutor<'_>, r#ref: &str) -> Result<Option<Runtime>, sqlx::Error> {
    Ok(select(executor, Some(r#ref), None).await?.pop())
}

/// The runtime of this id.
pub async fn get(executor: impl PgExecutor<'_>, id: i64) -> Result<Runtime, sqlx::Error> {
    select(executor, None, Some(id)).await?.pop().ok_or(sqlx::Error::RowNotFound)
}

/// A column that cannot be read holds a text that says so, which its reader refuses. A NULL among the aliases names nothing.
async fn select(
    executor: impl PgExecutor<'_>,
    r#ref: Option<&str>,
    id: Option<i64>,
) -> Result<Vec<Runtime>, sqlx::Error> {
    query_as!(
        Runtime,
        r#"SELECT id, ref, pack, pack_ref, description, name, distributions AS "distributions!: Readable",
                  installation AS "installation!: Readable", execution AS "execution!: Readable",
                  ARRAY(SELECT a FROM unnest(aliases) AS a WHERE a IS NOT NULL) AS "aliases!",
                  readable_time(created) AS created, readable_time(updated) AS updated
           FROM runtime WHERE ($1::text IS NULL OR ref = $1) AND ($2::bigint IS NULL OR id = $2) ORDER BY ref"#,
        r#ref,
        id
    )
    .fetch_all(executor)
    .await
}

/// Writes a new runtime and answers with its id.
pub async fn insert(executor: impl PgExecutor<'_>, runtime: &NewRuntime<'_>) -> Result<i64, sqlx::Error> {
    query!(
        "INSERT INTO runtime (ref, pack, pack_ref, name, description, distributions, installation, execution, aliases)
         VALUES ($1, (SELECT id FROM pack WHERE ref = $2), $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        runtime.r#ref,
        runtime.pack_ref,
        runtime.name,
        runtime.description,
        runtime.distributions,
        runtime.installation,
        runtime.execution,
        runtime.aliases
    )
    .fetch_one(executor)
    .await
    .map(|row| row.id)
}

/// Replaces what is written of a runtime; its ref and its pack stay. False when there is no such runtime.
pub async fn update(
    executor: impl PgExecutor<'_>,
    id: i64,
    runtime: &NewRuntime<'_>,
) -> Result<bool, sqlx::Error> {
    let done = query!(
        "UPDATE runtime SET name = $2, description = $3, distributions = $4, installation = $5, execution = $6, aliases = $7
         WHERE id = $1",
        id,
        runtime.name,
        runtime.description,
        runtime.distributions,
        runtime.installation,
        runtime.execution,
        runtime.aliases
    )
    .execute(executor)
    .await?;
    Ok(done.rows_affected() == 1)
}
