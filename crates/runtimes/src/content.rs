//! The contents of packs on this machine, each unpacked once under its digest: `<cache>/packs/<digest>`.
//!
//! A directory of that name is complete by construction: files are written beside it and renamed in one step, so a
//! crash leaves only a directory that nobody looks at, and of two processes that unpack at once one finds the other's
//! work done. The first use in each process reads the files again and compares the digest: what was damaged is
//! replaced, never run.

use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::archive::{self, ArchiveError};
use crate::digest::{digest, is_digest};
use crate::directory;
use crate::files::Files;

/// Why a pack's content is not on this machine.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The text names no content.
    #[error("{digest:?} is no digest of a pack's content")]
    NotADigest {
        /// The text.
        digest: String,
    },
    /// Whoever has the content could not give it.
    #[error("can not fetch the content {digest} of a pack: {source}")]
    Fetch {
        /// Its digest.
        digest: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What was fetched is no pack.
    #[error("the content {digest} of a pack is damaged: {source}")]
    Archive {
        /// Its digest.
        digest: String,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// What was fetched is another pack.
    #[error("the content {digest} of a pack has the digest {found}")]
    Mismatch {
        /// What it should be.
        digest: String,
        /// What it is.
        found: String,
    },
    /// The disk refused.
    #[error("can not unpack a pack's content under {path}: {source}")]
    Unpack {
        /// The store's directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The store of one process. Give it out by reference: it remembers what it has checked.
#[derive(Debug)]
pub struct PackContent {
    root: PathBuf,
    checked: RwLock<HashSet<String>>,
    /// Held while unpacking, so that one content is fetched once however many runs want it. Whoever uses what is there
    /// does not wait for it.
    unpacking: Mutex<()>,
}

impl PackContent {
    /// The store under a cache directory, which need not exist yet.
    pub fn new(cache: &Path) -> Self {
        Self { root: cache.join("packs"), checked: RwLock::default(), unpacking: Mutex::default() }
    }

    /// The directory with the content of this digest; `fetch` gives the archive when this machine lacks it.
    pub async fn ensure<F, E>(
        &self,
        digest: &str,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<PathBuf, ContentError>
    where
        F: Future<Output = Result<Vec<u8>, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if !is_digest(digest) {
            return Err(ContentError::NotADigest { digest: digest.to_owned() });
        }
        let place = self.root.join(digest);
        if self.is_there(digest, &place) {
            return Ok(place);
        }
        let _one_at_a_time = self.unpacking.lock().await;
        if self.is_there(digest, &place) {
            return Ok(place);
        }
        if !self.is_intact(digest).await? {
            let archive = fetch()
                .await
                .map_err(|source| ContentError::Fetch { digest: digest.to_owned(), source: source.into() })?;
            self.unpack(digest, archive).await?;
        }
        self.checked.write().unwrap_or_else(PoisonError::into_inner).insert(digest.to_owned());
        Ok(place)
    }

    fn is_there(&self, digest: &str, place: &Path) -> bool {
        self.checked.read().unwrap_or_else(PoisonError::into_inner).contains(digest) && place.is_dir()
    }

    async fn is_intact(&self, expected: &str) -> Result<bool, ContentError> {
        let (place, expected) = (self.root.join(expected), expected.to_owned());
        self.blocking(move || Ok(is_intact(&place, &expected))).await
    }

    async fn unpack(&self, expected: &str, archive: Vec<u8>) -> Result<(), ContentError> {
        let (root, expected) = (self.root.clone(), expected.to_owned());
        self.blocking(move || {
            let files = verified(&archive, &expected)?;
            install(&root, &expected, &files).map_err(|source| ContentError::Unpack { path: root, source })
        })
        .await
    }

    /// Files are read and written by the thousand: not on the threads that serve everybody.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ContentError> + Send + 'static,
    ) -> Result<T, ContentError> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            Err(ContentError::Unpack { path: self.root.clone(), source: io::Error::other(error) })
        })
    }
}

fn is_intact(place: &Path, expected: &str) -> bool {
    directory::read(place).is_ok_and(|files| digest(&files) == expected)
}

fn verified(archive: &[u8], expected: &str) -> Result<Files, ContentError> {
    let files = archive::read(archive)
        .map_err(|source| ContentError::Archive { digest: expected.to_owned(), source })?;
    let found = digest(&files);
    if found == expected {
        Ok(files)
    } else {
        Err(ContentError::Mismatch { digest: expected.to_owned(), found })
    }
}

/// Writes the files beside their place, then renames: the place is complete or absent.
fn install(root: &Path, digest: &str, files: &Files) -> io::Result<()> {
    fs::create_dir_all(root)?;
    let staged = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(root)?;
    fs::set_permissions(staged.path(), Permissions::from_mode(0o755))?;
    for (path, content) in files.contents() {
        write(staged.path(), path, content, files.is_executable(path))?;
    }
    let place = root.join(digest);
    match fs::rename(staged.path(), &place) {
        Ok(()) => Ok(()),
        Err(error) if is_occupied(&error) && is_intact(&place, digest) => Ok(()),
        Err(error) if is_occupied(&error) => replace(root, &place, &staged),
        Err(error) => Err(error),
    }
}

/// What is in the place is damaged: it goes aside and away.
fn replace(root: &Path, place: &Path, staged: &TempDir) -> io::Result<()> {
    let aside = tempfile::Builder::new().prefix(".replaced-").tempdir_in(root)?;
    match fs::rename(place, aside.path().join("old")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match fs::rename(staged.path(), place) {
        // A third process did the same between the two renames.
        Err(error) if is_occupied(&error) => Ok(()),
        done => done,
    }
}

fn is_occupied(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
    )
}

fn write(root: &Path, path: &str, content: &[u8], executable: bool) -> io::Result<()> {
    for (end, _) in path.match_indices('/') {
        make_directory(&root.join(&path[..end]))?;
    }
    let file = root.join(path);
    fs::write(&file, content)?;
    fs::set_permissions(file, Permissions::from_mode(if executable { 0o555 } else { 0o444 }))
}

/// Readable for the users that programs may run as, whatever the worker's umask.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
