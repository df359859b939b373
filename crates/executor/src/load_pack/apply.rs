//! The transaction of a load.

use attune_common::repositories::config_version;
use attune_common::repositories::pack::{self, ItemRow, PackRow};
use attune_common::repositories::pack_thing::{self, Owner, ThingRow};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::manifest::{self, LastLoad};
use super::masks::Masks;
use super::merge::Columns;
use super::report::{LoadReport, file_changes};
use super::things::{self, ByName, Thing};
use super::{LoadError, Upload, gone, references};

/// When a load takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Only over an older version.
    Newer,
}

/// Whether a load is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Load,
    /// The report alone; the transaction is rolled back.
    Look,
}

/// Loads in one transaction, which is rolled back by every way out but the last. `None`: the pack is not what it was when
/// `last` was read.
pub(super) async fn apply(
    pool: &PgPool,
    upload: &Upload,
    last: &LastLoad,
    when: When,
    purpose: Purpose,
) -> Result<Option<LoadReport>, LoadError> {
    let mut tx = pool.begin().await?;
    config_version::lock(&mut tx).await?;
    let row = pack::find(&mut *tx, &upload.pack.manifest.r#ref).await?;
    if row.as_ref().and_then(|row| row.digest.as_ref()) != last.digest.as_ref() {
        return Ok(None);
    }
    if let (When::Newer, Some(row)) = (when, &row)
        && !is_newer(upload.version(), &row.version)
    {
        return Err(LoadError::NotNewer(row.version.clone()));
    }
    match purpose {
        Purpose::Load => upload.keep(&mut tx).await?,
        // The row has to point somewhere until it is rolled back.
        Purpose::Look => pack::insert_content(&mut *tx, &upload.digest, &[], 0).await?,
    }
    let report = write(&mut tx, upload, row.as_ref(), last).await?;
    let faults = references::check(&mut tx, &upload.pack).await?;
    if !faults.is_empty() {
        return Err(LoadError::Faults(faults));
    }
    match purpose {
        Purpose::Load => tx.commit().await?,
        Purpose::Look => tx.rollback().await?,
    }
    Ok(Some(report))
}

async fn write(
    tx: &mut PgConnection,
    upload: &Upload,
    row: Option<&PackRow>,
    last: &LastLoad,
) -> sqlx::Result<LoadReport> {
    let manifest = &upload.pack.manifest;
    let mut report = LoadReport {
        pack: manifest.r#ref.clone(),
        version: manifest.version.clone(),
        digest: upload.digest.clone(),
        files: file_changes(&last.files, &upload.files),
        ..LoadReport::default()
    };
    let id = manifest::put(tx, upload, row, last, &mut report).await?;
    let things = things::things_of(&upload.pack);
    let items = pack::list_items(tx, id).await?;
    let rows = by_name(pack_thing::list(tx, &refs_of(&things, &items)).await?);
    let masks = Masks::read(tx, &upload.pack, &rows).await?;
    let last = items
        .iter()
        .map(|item| ((item.kind.clone(), item.r#ref.clone()), columns(item.definition.clone())))
        .collect();
    things::put(
        tx,
        Owner { id: Some(id), r#ref: Some(&manifest.r#ref) },
        &things,
        &last,
        &rows,
        &masks,
        &mut report,
    )
    .await?;
    gone::disable(tx, id, &things, &items, &rows, &mut report).await?;
    pack::put_items(tx, id, &Value::Array(things::changed_items(&things, &last))).await?;
    Ok(report)
}

fn refs_of(things: &[Thing], items: &[ItemRow]) -> Vec<String> {
    things.iter().map(|thing| &thing.r#ref).chain(items.iter().map(|item| &item.r#ref)).cloned().collect()
}

/// Rows by kind and ref.
pub(crate) fn by_name(rows: Vec<ThingRow>) -> ByName {
    rows.into_iter().map(|row| ((row.kind, row.r#ref), columns(row.columns))).collect()
}

fn columns(value: Value) -> Columns {
    match value {
        Value::Object(columns) => columns,
        _ => Columns::new(),
    }
}

/// Whether a version is newer than one that is in the database. Text that is no version is older than all.
pub(crate) fn is_newer(version: &str, loaded: &str) -> bool {
    let parse = |text| semver::Version::parse(text).ok();
    parse(version) > parse(loaded)
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn versions_are_compared_as_versions() {
        assert!(
            is_newer("0.10.0", "0.9.0") && is_newer("1.0.0", "1.0.0-rc.1") && is_newer("0.1.0", "unknown")
        );
        assert!(!is_newer("0.1.0", "0.1.0") && !is_newer("0.1.0", "0.2.0"));
    }
}
