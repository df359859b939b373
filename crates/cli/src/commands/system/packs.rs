//! The packs that are loaded at the start.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use attune_common::config::LimitsConfig;
use attune_executor::load_pack::{LoadError, load_pack};
use attune_runtimes::archive;
use attune_runtimes::files::Files;
use sqlx::PgPool;

use crate::commands::pack;
use crate::failure::Failure;

/// A pack that was read and checked, before there is a database.
#[derive(Debug)]
pub(crate) struct Packed {
    path: PathBuf,
    archive: Vec<u8>,
}

impl Packed {
    /// A pack from files in memory, named `path` in messages.
    pub(crate) fn of_files(path: &str, files: &Files) -> anyhow::Result<Self> {
        Ok(Self { path: path.into(), archive: archive::write(files)? })
    }
}

/// Reads every pack that the given directories are or hold. A faulty one stops the start before anything is started.
pub(crate) fn read(directories: &[PathBuf]) -> anyhow::Result<Vec<Packed>> {
    let mut packs = Vec::new();
    for directory in directories {
        for path in packs_in(directory)? {
            let (files, _) = pack::read(&path)?;
            packs.push(Packed { archive: archive::write(&files)?, path });
        }
    }
    Ok(packs)
}

/// Loads them, in order.
pub(crate) async fn load(pool: &PgPool, packs: Vec<Packed>, limits: &LimitsConfig) -> anyhow::Result<()> {
    for Packed { path, archive } in packs {
        match load_pack(pool, archive, limits).await {
            Ok(report) => {
                tracing::info!(pack.ref = %report.pack, pack.version = %report.version, "Loaded a pack");
            }
            Err(LoadError::Faults(faults)) => return Err(pack::refused(&path, &faults).into()),
            Err(error) => return Err(error).with_context(|| format!("can not load {}", path.display())),
        }
    }
    Ok(())
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
