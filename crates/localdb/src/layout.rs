//! Where everything lies below a data directory.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// A data directory that exists, by its canonical path.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    data_dir: PathBuf,
}

impl Layout {
    /// Creates what is missing of the data directory and of the way to it.
    ///
    /// Under root others may pass through (and not look around), because the server runs as another account.
    pub(crate) fn create(data_dir: &Path) -> Result<Self, Error> {
        let data_dir = std::path::absolute(data_dir).map_err(Error::file("find", data_dir))?;
        let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        let missing = data_dir.ancestors().take_while(|directory| !directory.exists()).collect::<Vec<_>>();
        for directory in missing.into_iter().rev() {
            create_directory(directory, mode)?;
        }
        Self::existing(&data_dir)
    }

    /// A data directory that must be there already.
    pub(crate) fn existing(data_dir: &Path) -> Result<Self, Error> {
        let canonical = data_dir.canonicalize().map_err(Error::file("find", data_dir))?;
        Ok(Self { data_dir: canonical })
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    pub(crate) fn unfinished_cluster(&self) -> PathBuf {
        self.data_dir.join("postgres.new")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.data_dir.join("lock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.data_dir.join("postgres.conf")
    }
}

/// Creates one directory with exactly `mode`, whatever the umask.
pub(crate) fn create_directory(directory: &Path, mode: u32) -> Result<(), Error> {
    fs::DirBuilder::new()
        .mode(mode)
        .create(directory)
        .map_err(Error::file("create the directory", directory))?;
    fs::set_permissions(directory, fs::Permissions::from_mode(mode))
        .map_err(Error::file("set the permissions of", directory))
}
