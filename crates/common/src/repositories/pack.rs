//! Tables `pack`, `pack_content` and `pack_item`: what was uploaded, and what the last load said of each thing.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

/// A pack's row as loading needs it.
#[derive(Debug)]
pub struct PackRow {
    /// `pack.id`.
    pub id: i64,
    /// The version that is loaded.
    pub version: String,
    /// Its content; `None` for a pack that only migrations or SQL wrote.
    pub digest: Option<String>,
}

/// Stores content by digest, in a transaction of its own before the load, which then holds its locks only for its rows.
pub async fn insert_content(pool: &PgPool, digest: &str, content: &[u8], size: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO pack_content (digest, content, size) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
        digest,
        content,
        size
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The archive with this digest.
pub async fn find_content(pool: &PgPool, digest: &str) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("SELECT content FROM pack_content WHERE digest = $1", digest).fetch_optional(pool).await
}

/// One pack.
pub async fn find(conn: &mut PgConnection, r#ref: &str) -> sqlx::Result<Option<PackRow>> {
    sqlx::query_as!(PackRow, "SELECT id, version, digest FROM pack WHERE ref = $1", r#ref).fetch_optional(conn).await
}

/// The digest of the pack that a runtime belongs to.
pub async fn digests(pool: &PgPool) -> sqlx::Result<Vec<(i64, String)>> {
    let rows = sqlx::query!(r#"SELECT id, digest AS "digest!" FROM pack WHERE digest IS NOT NULL"#).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.digest)).collect())
}

/// What the last load said of every thing in a pack: kind, ref, definition.
pub async fn list_items(conn: &mut PgConnection, pack: i64) -> sqlx::Result<Vec<(String, String, Value)>> {
    let rows = sqlx::query!(r#"SELECT kind, ref AS "ref!", definition FROM pack_item WHERE pack = $1"#, pack)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.r#ref, row.definition)).collect())
}

/// Remembers what this load says of a thing.
pub async fn put_item(
    conn: &mut PgConnection,
    pack: i64,
    kind: &str,
    r#ref: &str,
    definition: &Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO pack_item (pack, kind, ref, definition) VALUES ($1, $2, $3, $4)
           ON CONFLICT (pack, kind, ref) DO UPDATE SET definition = EXCLUDED.definition"#,
        pack,
        kind,
        r#ref,
        definition
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a thing that left the pack.
pub async fn delete_item(conn: &mut PgConnection, pack: i64, kind: &str, r#ref: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM pack_item WHERE pack = $1 AND kind = $2 AND ref = $3", pack, kind, r#ref)
        .execute(conn)
        .await?;
    Ok(())
}
