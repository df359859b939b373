//! An uploaded archive, read and checked without the database.

use std::collections::BTreeMap;

use attune_common::config::LimitsConfig;
use attune_common::repositories::pack;
use attune_core::pack::{Fault, MANIFEST, Pack};
use attune_runtimes::files::Files;
use attune_runtimes::{archive, digest};
use sqlx::{PgConnection, PgPool};

use super::LoadError;

/// A pack that is ready to be loaded.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(super) pack: Pack,
    pub(super) digest: String,
    /// The digest of each file.
    pub(super) files: BTreeMap<String, String>,
    archive: Vec<u8>,
    size: u64,
}

impl Upload {
    /// Reads an archive. Decompressing, digesting and parsing take long enough to hold up others, so they have a thread.
    pub(super) async fn read(archive: Vec<u8>, limits: LimitsConfig) -> Result<Self, LoadError> {
        let read = move || {
            let files = archive::read(&archive)?;
            check_limits(&files, &limits).map_err(|fault| LoadError::Faults(vec![fault]))?;
            Self::parse(&files, archive)
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// Takes files that are in memory already.
    pub(crate) async fn of_files(files: Files) -> Result<Self, LoadError> {
        let pack = move || {
            let archive = archive::write(&files).map_err(LoadError::Write)?;
            Self::parse(&files, archive)
        };
        tokio::task::spawn_blocking(pack).await?
    }

    fn parse(files: &Files, archive: Vec<u8>) -> Result<Self, LoadError> {
        let pack = Pack::parse(files.contents()).map_err(LoadError::Faults)?;
        let (all, each) = (digest::digest(files), digest::of_each(files));
        Ok(Self { pack, digest: all, files: each, archive, size: files.size() })
    }

    /// The ref of the pack.
    pub(crate) fn pack_ref(&self) -> &str {
        &self.pack.manifest.r#ref
    }

    /// Its version.
    pub(crate) fn version(&self) -> &str {
        &self.pack.manifest.version
    }

    /// Puts the content into the database, where it is removed again unless a load comes to use it.
    pub(super) async fn store(&self, pool: &PgPool) -> Result<(), LoadError> {
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        Ok(pack::insert_content(pool, &self.digest, &self.archive, size).await?)
    }

    /// Marks the content as used by the load that this transaction is. Another load of the same, which was refused
    /// meanwhile, may have removed it.
    pub(super) async fn keep(&self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !pack::keep_content(tx, &self.digest).await? {
            let size = i64::try_from(self.size).unwrap_or(i64::MAX);
            pack::insert_content(&mut *tx, &self.digest, &self.archive, size).await?;
            pack::keep_content(tx, &self.digest).await?;
        }
        Ok(())
    }

    /// Removes the content after a load that was refused. A failure leaves it to the reconciler.
    pub(super) async fn forget(&self, pool: &PgPool) {
        if let Err(error) = pack::delete_refused_content(pool, &self.digest).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "The content of a refused load could not be removed"
            );
        }
    }
}

/// The operator's limits, which may be narrower than those of the archive.
fn check_limits(files: &Files, limits: &LimitsConfig) -> Result<(), Fault> {
    let large = |content: &Vec<u8>| content.len() as u64 > limits.pack_file_bytes;
    if let Some((path, _)) = files.contents().iter().find(|(_, content)| large(content)) {
        return Err(Fault::of_file(path, format!("is larger than {} bytes", limits.pack_file_bytes)));
    }
    let refuse = |message| Err(Fault::of_file(MANIFEST, message));
    if files.size() > limits.pack_bytes {
        return refuse(format!("the pack is larger than {} bytes", limits.pack_bytes));
    }
    if files.contents().len() as u64 > u64::from(limits.pack_files) {
        return refuse(format!("the pack has more than {} files", limits.pack_files));
    }
    Ok(())
}
