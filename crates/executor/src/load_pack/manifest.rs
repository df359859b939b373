//! The pack's own row: `pack.yaml`, merged as its things are.
//!
//! What the last load said of it stands in the content of the last load, so nothing else has to remember it.

use std::collections::BTreeMap;

use attune_common::repositories::pack::{self, PackRow};
use attune_core::pack::{MANIFEST, Manifest, Pack};
use attune_runtimes::files::Files;
use attune_runtimes::{archive, digest};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use super::masks::Masks;
use super::merge::{Columns, Difference, Merged, merge};
use super::report::{Fate, LoadReport};
use super::{LoadError, Upload};

/// What the pack was before this load.
#[derive(Debug)]
pub(super) struct LastLoad {
    /// The content that it had when this was read.
    pub(super) digest: Option<String>,
    columns: Option<Columns>,
    /// The digest of each of its files.
    pub(super) files: BTreeMap<String, String>,
}

impl LastLoad {
    /// Reads the last load of the pack that is uploaded.
    pub(super) async fn find(pool: &PgPool, upload: &Upload) -> Result<Self, LoadError> {
        let row = pack::find(pool, &upload.pack.manifest.r#ref).await?;
        let digest = row.and_then(|row| row.digest);
        let (columns, files) = match &digest {
            None => (None, BTreeMap::new()),
            Some(digest) if *digest == upload.digest => {
                (Some(columns_of(&upload.pack.manifest)), upload.files.clone())
            }
            Some(digest) => of_content(pack::find_content(pool, digest).await?).await?,
        };
        Ok(Self { digest, columns, files })
    }
}

/// What the manifest in an archive says, and what files are there; `None` when this version of Attune can not read it any
/// more.
async fn of_content(
    content: Option<Vec<u8>>,
) -> Result<(Option<Columns>, BTreeMap<String, String>), LoadError> {
    let read = move || {
        let Some(files) = content.and_then(|content| archive::read(&content).ok()) else {
            return (None, BTreeMap::new());
        };
        (columns_in(&files), digest::of_each(&files))
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

fn columns_in(files: &Files) -> Option<Columns> {
    let manifest = files.contents().get(MANIFEST)?.clone();
    let pack = Pack::parse(&BTreeMap::from([(MANIFEST.to_owned(), manifest)])).ok()?;
    Some(columns_of(&pack.manifest))
}

fn columns_of(manifest: &Manifest) -> Columns {
    let Manifest { r#ref: _, name, version: _, description, config, config_schema, requires } = manifest;
    let columns = [
        ("name", json!(name)),
        ("description", json!(description)),
        ("config", config.clone()),
        ("config_schema", config_schema.clone()),
        ("requires", json!(requires)),
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
    Masks::default().apply("pack", [now, Some(&columns_of(manifest))], &mut merged);
    if let Some(row) = row {
        note_content(row, upload, &mut merged);
    }
    report.note_pack(&merged);
    if let (Fate::Unchanged, Some(row)) = (merged.fate, row) {
        return Ok(row.id);
    }
    let identity = [("ref", &manifest.r#ref), ("version", &manifest.version), ("digest", &upload.digest)];
    merged.columns.extend(identity.map(|(column, value)| (column.to_owned(), Value::from(value.as_str()))));
    pack::put(tx, &Value::Object(merged.columns)).await
}

/// The version and the content, which are never the operator's.
fn note_content(row: &PackRow, upload: &Upload, merged: &mut Merged) {
    let version = &upload.pack.manifest.version;
    if row.version != *version {
        let (old, new) = (json!(row.version), json!(version));
        merged.change(Difference { field: "version".to_owned(), old, new });
    }
    if row.digest.as_ref() != Some(&upload.digest) {
        merged.fate = Fate::Updated;
    }
}

/// Whether a pack without content has things that count as loaded.
async fn is_migrated(tx: &mut PgConnection, row: &PackRow) -> sqlx::Result<bool> {
    Ok(row.digest.is_none() && !pack::list_items(tx, row.id).await?.is_empty())
}
