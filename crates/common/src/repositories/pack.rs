//! Tables `pack`, `pack_content` and `pack_item`: what was uploaded, and what the last load said of each thing.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::readable::{Readable, Row};

/// A pack's row as loading needs it.
#[derive(Debug)]
pub struct PackRow {
    /// `pack.id`.
    pub id: i64,
    /// The version that is loaded.
    pub version: String,
    /// Its content; `None` for a pack that only migrations or SQL wrote.
    pub digest: Option<String>,
    /// The whole row, by column.
    pub columns: Value,
}

/// What the last load said of a thing.
#[derive(Debug)]
pub struct ItemRow {
    /// `runtime`, `trigger`, `sensor`, `action` or `rule`.
    pub kind: String,
    /// Its ref.
    pub r#ref: String,
    /// Its columns, refs instead of ids.
    pub definition: Value,
}

/// Stores content by digest; what is there already stays.
pub async fn insert_content(
    executor: impl PgExecutor<'_>,
    digest: &str,
    content: &[u8],
    size: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO pack_content (digest, content, size) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
        digest,
        content,
        size
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Marks content as used by a load. `false`: there is none.
pub async fn keep_content(tx: &mut PgConnection, digest: &str) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("UPDATE pack_content SET loaded = TRUE WHERE digest = $1", digest).execute(tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Removes content that no load ever used.
pub async fn delete_refused_content(pool: &PgPool, digest: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM pack_content WHERE digest = $1 AND NOT loaded", digest).execute(pool).await?;
    Ok(())
}

/// Removes content that was stored so many seconds ago and that no load ever used. Returns how much there was.
pub async fn delete_unused_content(pool: &PgPool, seconds: f64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM pack_content WHERE NOT loaded AND created < NOW() - make_interval(secs => $1)",
        seconds
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// The archive with this digest.
pub async fn find_content(pool: &PgPool, digest: &str) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("SELECT content FROM pack_content WHERE digest = $1", digest)
        .fetch_optional(pool)
        .await
}

/// One pack.
pub async fn find(executor: impl PgExecutor<'_>, r#ref: &str) -> sqlx::Result<Option<PackRow>> {
    sqlx::query_as!(
        PackRow,
        r#"SELECT id, version, digest, to_jsonb(p) AS "columns!: Row" FROM pack p WHERE ref = $1"#,
        r#ref
    )
    .fetch_optional(executor)
    .await
}

/// The digest of the content that each pack has now, by `pack.id`.
pub async fn digests(pool: &PgPool) -> sqlx::Result<Vec<(i64, String)>> {
    let rows = sqlx::query!(r#"SELECT id, digest AS "digest!" FROM pack WHERE digest IS NOT NULL"#)
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.digest)).collect())
}

/// The refs of the packs that require commands, each with its column as it stands.
pub async fn requirements(pool: &PgPool) -> sqlx::Result<Vec<(String, Value)>> {
    let rows =
        sqlx::query!(r#"SELECT ref, requires AS "requires!: Readable" FROM pack WHERE requires <> '[]'"#)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|row| (row.r#ref, row.requires.into())).collect())
}

/// Writes a pack from an object of its columns; returns its id.
pub async fn put(tx: &mut PgConnection, columns: &Value) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"INSERT INTO pack (ref, name, version, description, config, config_schema, requires, digest)
           SELECT ref, name, version, description, config, config_schema, requires, digest
           FROM jsonb_to_record($1) AS d (ref text, name text, version text, description text, config jsonb,
                                          config_schema jsonb, requires jsonb, digest text)
           ON CONFLICT (ref) DO UPDATE SET name = EXCLUDED.name, version = EXCLUDED.version,
               description = EXCLUDED.description, config = EXCLUDED.config, config_schema = EXCLUDED.config_schema,
               requires = EXCLUDED.requires, digest = EXCLUDED.digest
           RETURNING id"#,
        columns
    )
    .fetch_one(tx)
    .await
}

/// What the last load said of every thing in a pack.
pub async fn list_items(tx: &mut PgConnection, pack: i64) -> sqlx::Result<Vec<ItemRow>> {
    sqlx::query_as!(
        ItemRow,
        r#"SELECT kind, ref AS "ref!", definition AS "definition!: Readable" FROM pack_item WHERE pack = $1 ORDER BY kind, ref"#,
        pack
    )
    .fetch_all(tx)
    .await
}

/// Remembers what this load says of things: a list of objects with `kind`, `ref` and `definition`.
pub async fn put_items(tx: &mut PgConnection, pack: i64, items: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO pack_item (pack, kind, ref, definition)
           SELECT $1, kind, ref, definition FROM jsonb_to_recordset($2) AS d (kind text, ref text, definition jsonb)
           ON CONFLICT (pack, kind, ref) DO UPDATE SET definition = EXCLUDED.definition"#,
        pack,
        items
    )
    .execute(tx)
    .await?;
    Ok(())
}
