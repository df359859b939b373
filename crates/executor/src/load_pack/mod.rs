//! A pack in: one transaction, all of it or nothing.
//!
//! Reading and checking the files needs no database and happens first; the content is stored by its digest before the
//! transaction, which then holds `config_version` (so that loads and changes by plain SQL take turns) for its rows alone.
//!
//! Every column is merged three ways between what the last load said (`pack_item`), what the row says and what the pack
//! says now: a row that still says what the last load said takes the new value, and a row that an operator changed keeps
//! the operator's, which the report lists. `enabled` belongs to the operator after the first load. What left the pack is
//! disabled, and its `pack_item` remembers whether it was the load that did it, so that it comes back enabled.
//!
//! A pack that refers to what is not there, or uses it in a way it does not allow, is refused with the author's file, line
//! and field, like one that can not be read.

mod apply;
mod error;
mod gone;
mod manifest;
mod masks;
mod merge;
mod references;
mod report;
mod things;
mod upload;

use attune_common::config::LimitsConfig;
use sqlx::PgPool;

pub use error::LoadError;
pub use report::{Change, FileChange, FileFate, Kept, LoadReport};

use apply::Purpose;
pub(crate) use apply::{When, by_name, is_newer};
use manifest::LastLoad;
pub(crate) use masks::Masks;
pub(crate) use merge::{Columns, merge};
pub(crate) use references::{check as check_references, check_trigger_params};
pub(crate) use report::Fate;
pub(crate) use things::{Thing, put_kind, things_of};
pub(crate) use upload::Upload;

/// Loads an uploaded archive. Loading what is loaded already changes nothing.
pub async fn load_pack(
    pool: &PgPool,
    archive: Vec<u8>,
    limits: &LimitsConfig,
) -> Result<LoadReport, LoadError> {
    let upload = Upload::read(archive, limits.clone()).await?;
    load(pool, &upload, When::Always).await
}

/// What loading an archive would do, found out by the very same transaction, which is rolled back.
pub async fn diff_pack(
    pool: &PgPool,
    archive: Vec<u8>,
    limits: &LimitsConfig,
) -> Result<LoadReport, LoadError> {
    let upload = Upload::read(archive, limits.clone()).await?;
    merge_and_write(pool, &upload, When::Always, Purpose::Look).await
}

/// Loads checked content.
pub(crate) async fn load(pool: &PgPool, upload: &Upload, when: When) -> Result<LoadReport, LoadError> {
    upload.store(pool).await?;
    let loaded = merge_and_write(pool, upload, when, Purpose::Load).await;
    if loaded.is_err() {
        upload.forget(pool).await;
    }
    loaded
}

async fn merge_and_write(
    pool: &PgPool,
    upload: &Upload,
    when: When,
    purpose: Purpose,
) -> Result<LoadReport, LoadError> {
    loop {
        let before = LastLoad::find(pool, upload).await?;
        // Without a report another load came between; it has to be merged with as well.
        if let Some(report) = apply::apply(pool, upload, &before, when, purpose).await? {
            return Ok(report);
        }
    }
}
