//! A cluster's directory that ends with its process, or with the next one.

use std::fs;
use std::path::{Path, PathBuf};

use attune_localdb::{Error, LocalDb, Options};

use crate::owner;

/// Not `TMPDIR`: what that names is often private to root, and the server's account must get through.
const PARENT: &str = "/tmp";
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
        let data_dir = Path::new(PARENT).join(owner::name(PREFIX));
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

/// Best effort: a directory of another user, or one that a process next door is removing just now, is not this one's
/// business.
async fn sweep() {
    for entry in fs::read_dir(PARENT).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| owner::is_gone(PREFIX, name)) {
            let _ = LocalDb::destroy(&entry.path()).await;
        }
    }
}
