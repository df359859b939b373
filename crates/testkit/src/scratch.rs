//! A cluster's directory that ends with its process, or with the next one.

use std::fs;
use std::path::{Path, PathBuf};

use attune_localdb::{Error, LocalDb, Options};

use crate::owner;

/// Where clusters may be. Not `TMPDIR`: what that names is often private to root, and the server's account must get through.
const DISK: &str = "/tmp";
/// Memory is better: a test's database is a few hundred small files, which live for a second.
const MEMORY: &str = "/dev/shm";
/// As much must be free there: containers often have 64 MB.
const ENOUGH: u64 = 4 << 30;
const PREFIX: &str = "attune-testdb";

/// A throwaway cluster.
#[derive(Debug)]
pub struct Scratch {
    database: LocalDb,
    data_dir: PathBuf,
}

impl Scratch {
    /// Starts a cluster in a new directory, after removing those whose processes are gone.
    pub async fn start() -> Result<Self, Error> {
        sweep().await;
        let data_dir = parent().join(owner::name(PREFIX));
        let database = LocalDb::start(&Options::throwaway(&data_dir)).await?;
        Ok(Self { database, data_dir })
    }

    /// The URL of the cluster's database `attune`, which is empty.
    pub fn url(&self) -> String {
        self.database.url()
    }

    /// Stops the cluster and removes its directory.
    pub async fn remove(self) -> Result<(), Error> {
        self.database.stop().await;
        LocalDb::destroy(&self.data_dir).await
    }
}

fn parent() -> &'static Path {
    let free = rustix::fs::statvfs(MEMORY).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize));
    Path::new(if free >= ENOUGH { MEMORY } else { DISK })
}

/// Best effort: a directory of another user, or one that a process next door is removing just now, is not this one's
/// business.
async fn sweep() {
    let there = [MEMORY, DISK].into_iter().filter_map(|parent| fs::read_dir(parent).ok());
    for entry in there.flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| owner::is_gone(PREFIX, name)) {
            let _ = LocalDb::destroy(&entry.path()).await;
        }
    }
}
