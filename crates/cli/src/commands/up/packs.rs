//! The packs that `attune up --packs` loads at its start.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use attune_common::config::LimitsConfig;
use attune_executor::load_pack::{LoadError, load_pack};
use attune_runtimes::{archive, directory};
use sqlx::PgPool;

use crate::failure::Failure;

/// Loads every pack that the given directories are or hold.
pub(super) async fn load(
    pool: &PgPool,
    directories: &[PathBuf],
    limits: &LimitsConfig,
) -> anyhow::Result<()> {
    for directory in directories {
        for pack in packs_in(directory)? {
            load_one(pool, &pack, limits).await?;
        }
    }
    Ok(())
}

async fn load_one(pool: &PgPool, path: &Path, limits: &LimitsConfig) -> anyhow::Result<()> {
    let packed = archive::write(&directory::read(path)?)?;
    match load_pack(pool, packed, limits).await {
        Ok(report) => {
            tracing::info!(pack.ref = %report.pack, pack.version = %report.version, "Loaded a pack");
            Ok(())
        }
        Err(LoadError::Faults(faults)) => {
            let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
            Err(Failure::Refused(format!("{} is not valid\n  {}", path.display(), lines.join("\n  "))).into())
        }
        Err(error) => Err(error).with_context(|| format!("can not load {}", path.display())),
    }
}

/// The directory itself when it holds a pack.yaml, else those of its subdirectories that do.
fn packs_in(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_pack = |path: &Path| path.join("pack.yaml").is_file();
    if is_pack(directory) {
        return Ok(vec![directory.to_owned()]);
    }
    let entries =
        std::fs::read_dir(directory).with_context(|| format!("can not read {}", directory.display()))?;
    let mut packs: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_pack(path)).collect();
    packs.sort();
    if packs.is_empty() {
        return Err(
            Failure::Usage(format!("there is no pack.yaml in {} or below it", directory.display())).into()
        );
    }
    Ok(packs)
}
