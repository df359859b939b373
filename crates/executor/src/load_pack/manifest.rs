//! The pack's own row: `pack.yaml`, merged as its things are.
//!
//! What the last load said of it stands in the content of the last load, so nothing else has to remember it.

use std::collections::BTreeMap;

use attune_common::repositories::pack::{self, PackRow};
use attune_core::pack::{MANIFEST, Manifest, Pack};
use attune_runtimes::archive;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use super::merge::{Columns, merge};
use super::report::{Fate, LoadReport};
use super::{LoadError, Upload};

/// What the pack was before this load.
#[derive(Debug)]
pub(super) struct LastLoad {
    /// The content that it had when this was read.
    pub(super) digest: Option<String>,
    columns: Option<Columns>,
}

impl LastLoad {
    /// Reads the last load of the pack that is uploaded.
    pub(super) async fn find(pool: &PgPool, upload: &Upload) -> Result<Self, LoadError> {
        let row = pack::find(pool, &upload.pack.manifest.r#ref).await?;
        let digest = row.and_then(|row| row.digest);
        let columns = match &digest {
            None => None,
            Some(digest) if *digest == upload.digest => Some(columns_of(&upload.pack.manifest)),
            Some(digest) => of_content(pack::find_content(pool, digest).await?).await?,
        };
        Ok(Self { digest, columns })
    }
}

/// What the manifest in an archive says; `None` when this version of Attune can not read it any more.
async fn of_content(content: Option<Vec<u8>>) -> Result<Option<Columns>, LoadError> {
    let read = move || {
        let files = archive::read(&content?).ok()?;
        let manifest = files.contents().get(MANIFEST)?.clone();
        let pack = Pack::parse(&BTreeMap::from([(MANIFEST.to_owned(), manifest)])).ok()?;
        Some(columns_of(&pack.manifest))
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

fn columns_of(manifest: &Manifest) -> Columns {
    let Manifest { r#ref: _, name, version: _, description, config, config_schema } = manifest;
    let columns = [
        ("name", json!(name)),
        ("description", json!(description)),
        ("config", config.clone()),
        ("config_schema", config_schema.clone()),
    ];
    columns.into_iter().map(|(column, value)| (column.to_owned(), value)).collect()
}

/// Writes the pack's row if it changed; returns its id.
pub(super) async fn put(
    tx: &mut PgConnection,
    upload: &Upload,
    row: Option<&PackRow>,
    last: &LastLoad,
    report: &mut LoadReport,
) -> sqlx::Result<i64> {
    let manifest = &upload.pack.manifest;
    let now = row.and_then(|row| row.columns.as_object());
    let last = match (&last.columns, row) {
        // What the migrations wrote counts as the last load.
        (None, Some(row)) if is_migrated(tx, row).await? => now,
        (columns, _) => columns.as_ref(),
    };
    let mut merged = merge(columns_of(manifest), last, now);
    let is_same_content =
        |row: &PackRow| row.version == manifest.version && row.digest.as_ref() == Some(&upload.digest);
    if merged.fate == Fate::Unchanged && !row.is_some_and(is_same_content) {
        merged.fate = Fate::Updated;
    }
    report.note_pack(merged.fate, merged.kept);
    if let (Fate::Unchanged, Some(row)) = (merged.fate, row) {
        return Ok(row.id);
    }
    let identity = [("ref", &manifest.r#ref), ("version", &manifest.version), ("digest", &upload.digest)];
    merged.columns.extend(identity.map(|(column, value)| (column.to_owned(), Value::from(value.as_str()))));
    pack::put(tx, &Value::Object(merged.columns)).await
}

/// Whether a pack without content has things that count as loaded.
async fn is_migrated(tx: &mut PgConnection, row: &PackRow) -> sqlx::Result<bool> {
    Ok(row.digest.is_none() && !pack::list_items(tx, row.id).await?.is_empty())
}
