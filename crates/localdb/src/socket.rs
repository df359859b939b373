//! The directory of the socket, and the URL that leads to it.
//!
//! A socket's path may have 107 bytes and a data directory any length, so the socket lives elsewhere, under a name
//! derived from the data directory: `/run/attune-HASH` for root, `/tmp/attune-HASH` for everybody else. The name depends
//! on nothing but the path and the caller's uid, never on the environment, so that every program of one user computes the
//! same. In `/tmp` anybody may take a name first; a directory that is not ours is refused, not used.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Error;
use crate::account::{self, Account};
use crate::layout::{self, Layout};

const MODE: u32 = 0o700;

/// The URL of the private database of `data_dir`, whether it runs or not.
///
/// psql and sqlx both accept it. The port is in it because `PGPORT` would win otherwise.
pub fn url_of(data_dir: &Path) -> Result<String, Error> {
    Ok(url(&Layout::existing(data_dir)?))
}

pub(crate) fn url(layout: &Layout) -> String {
    format!("postgresql:///attune?host={}&port=5432&user=attune", directory(layout).display())
}

/// The directory of the socket.
pub(crate) fn directory(layout: &Layout) -> PathBuf {
    let uid = rustix::process::geteuid();
    let base = if uid.is_root() { "/run" } else { "/tmp" };
    let mut hash = Sha256::new();
    hash.update(uid.as_raw().to_be_bytes());
    hash.update(layout.data_dir().as_os_str().as_bytes());
    Path::new(base).join(format!("attune-{}", hex::encode(&hash.finalize()[..8])))
}

/// The socket itself.
pub(crate) fn socket(layout: &Layout) -> PathBuf {
    directory(layout).join(".s.PGSQL.5432")
}

/// Makes the directory, or makes sure of it, and clears what a dead server left in it.
pub(crate) fn prepare(layout: &Layout, account: Option<&Account>) -> Result<PathBuf, Error> {
    let directory = directory(layout);
    match fs::symlink_metadata(&directory) {
        Ok(metadata) => verify(&directory, &metadata, account)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            layout::create_directory(&directory, MODE)?;
            account::give(&directory, account)?;
        }
        Err(error) => return Err(Error::file("inspect", &directory)(error)),
    }
    clear(layout)?;
    Ok(directory)
}

fn verify(directory: &Path, metadata: &Metadata, account: Option<&Account>) -> Result<(), Error> {
    let owner = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid);
    let fault = if !metadata.file_type().is_dir() {
        "is no directory"
    } else if metadata.uid() != owner {
        "belongs to somebody else"
    } else if metadata.mode() & 0o7777 != MODE {
        "is open to others"
    } else {
        return Ok(());
    };
    Err(Error::UnsafeSocketDirectory { directory: directory.to_owned(), fault })
}

/// A stale lock file whose pid lives again as something else would stop the server from starting.
fn clear(layout: &Layout) -> Result<(), Error> {
    let socket = socket(layout);
    for stale in [socket.with_extension("5432.lock"), socket] {
        match fs::remove_file(&stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("remove", &stale)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes the directory after the server has ended; one that stays does no harm.
pub(crate) fn remove(layout: &Layout) {
    let directory = directory(layout);
    let removed =
        clear(layout).and_then(|()| fs::remove_dir(&directory).map_err(Error::file("remove", &directory)));
    if let Err(error) = removed {
        tracing::debug!(%error, "the socket directory stays");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn fault_of(path: &Path) -> Option<&'static str> {
        match verify(path, &fs::symlink_metadata(path).unwrap(), None) {
            Err(Error::UnsafeSocketDirectory { fault, .. }) => Some(fault),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }

    #[test]
    fn is_short_and_differs_by_data_directory() {
        let parent = tempfile::tempdir().unwrap();
        let deep = parent.path().join("x".repeat(200)).join("y".repeat(200));
        fs::create_dir_all(&deep).unwrap();
        let (deep, parent) = (Layout::existing(&deep).unwrap(), Layout::existing(parent.path()).unwrap());
        assert!(socket(&deep).as_os_str().len() < 100);
        assert_ne!(directory(&deep), directory(&parent));
        assert_eq!(url_of(parent.data_dir()).unwrap(), url(&parent));
    }

    #[test]
    fn follows_links_to_the_data_directory() {
        let parent = tempfile::tempdir().unwrap();
        let (real, link) = (parent.path().join("real"), parent.path().join("link"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        assert_eq!(url_of(&real).unwrap(), url_of(&link).unwrap());
    }

    #[test]
    fn refuses_what_another_may_have_put_there() {
        let parent = tempfile::tempdir().unwrap();
        let (real, link) = (parent.path().join("real"), parent.path().join("link"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(fault_of(&real), Some("is open to others"));
        fs::set_permissions(&real, fs::Permissions::from_mode(MODE)).unwrap();
        assert_eq!(fault_of(&real), None);
        assert_eq!(fault_of(&link), Some("is no directory"));
        assert_eq!(
            fault_of(Path::new("/proc")),
            if rustix::process::geteuid().is_root() {
                Some("is open to others")
            } else {
                Some("belongs to somebody else")
            }
        );
    }
}
