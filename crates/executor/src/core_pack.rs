//! The core pack that this program carries: runtimes, timers and basic actions that every installation has.
//!
//! Every program that migrates the schema also loads its core pack when that is newer than the one in the database. Several
//! may do so at once, also of different versions: the comparison is made again inside the transaction of the load.

use attune_common::config::Config;
use attune_common::repositories::pack;
use attune_core::pack::Pack;
use attune_runtimes::directory;
use attune_runtimes::files::{Files, FilesError};
use rust_embed::RustEmbed;
use sqlx::PgPool;

use crate::fuse;
use crate::load_pack::{self, LoadError, LoadReport, Upload, When};

/// The files, compiled in.
#[derive(RustEmbed)]
#[folder = "../../packs/core"]
struct CoreFiles;

/// Why the core pack was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum CorePackError {
    /// The files that were compiled in can not be a pack.
    #[error("the embedded core pack is unusable")]
    Files(#[from] FilesError),
    /// Loading failed.
    #[error("can not load the core pack")]
    Load(#[from] LoadError),
}

/// A pool on a database that is migrated and has a core pack at least as new as this program's. What killed processes before is
/// put aside by then.
pub async fn prepare_database(config: &Config, program: &str) -> anyhow::Result<PgPool> {
    let pool = attune_boot::prepare_database(config, program).await?;
    fuse::insert(&pool, &config.data_dir).await;
    ensure_core_pack(&pool).await?;
    Ok(pool)
}

/// Loads the embedded core pack if it is newer than the one in the database. `None`: it is not.
pub async fn ensure_core_pack(pool: &PgPool) -> Result<Option<LoadReport>, CorePackError> {
    let upload = Upload::of_files(embedded_files()?).await?;
    let loaded = pack::find(pool, upload.pack_ref()).await.map_err(LoadError::from)?;
    if loaded.is_some_and(|row| !load_pack::is_newer(upload.version(), &row.version)) {
        return Ok(None);
    }
    match load_pack::load(pool, &upload, When::Newer).await {
        Ok(report) => {
            tracing::info!(pack.version = %report.version, kept = report.kept.len(), "Loaded the core pack");
            Ok(Some(report))
        }
        // Another program was faster.
        Err(LoadError::NotNewer(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the embedded core pack defines, for who has no database to ask.
pub fn definitions() -> Result<Pack, CorePackError> {
    Ok(Pack::parse(embedded_files()?.contents()).map_err(LoadError::Faults)?)
}

/// The files of the core pack that this program carries.
pub fn embedded_files() -> Result<Files, FilesError> {
    let content = |path: &str| CoreFiles::get(path).map(|file| file.data.into_owned()).unwrap_or_default();
    let paths = CoreFiles::iter().filter(|path| !directory::is_skipped(path));
    Files::without_modes(paths.map(|path| (path.to_string(), content(&path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_embedded_core_pack_has_no_fault() {
        let upload = Upload::of_files(embedded_files().unwrap()).await.unwrap();
        assert_eq!(upload.pack_ref(), "core");
    }
}
