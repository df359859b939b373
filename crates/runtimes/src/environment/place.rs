//! Where one environment is on disk.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Points at the attempt that succeeded.
const READY: &str = "ready";
const LOG: &str = "log";
const ATTEMPT: &str = "build-";
/// How old the mark of the last use may be before it is renewed.
const STALE: Duration = Duration::from_hours(24);

/// The place of one environment.
#[derive(Clone, Debug)]
pub(super) struct Place {
    root: PathBuf,
    digest: String,
}

impl Place {
    pub(super) fn new(root: &Path, digest: &str) -> Self {
        Self { root: root.to_owned(), digest: digest.to_owned() }
    }

    /// Everything that belongs to it but the lock.
    pub(super) fn directory(&self) -> PathBuf {
        self.root.join(&self.digest)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory().join(LOG)
    }

    /// The environment, when it is complete.
    pub(super) fn ready(&self) -> Option<PathBuf> {
        let directory = self.directory();
        let environment = directory.join(fs::read_link(directory.join(READY)).ok()?);
        if !environment.is_dir() {
            return None;
        }
        // Best effort: at worst a sweep removes what can be built again.
        let _ = mark_used(&directory);
        Some(environment)
    }

    /// The right to build, or `None` when somebody else has it. It ends with the file, or with the process.
    pub(super) fn lock(&self) -> io::Result<Option<File>> {
        fs::create_dir_all(&self.root)?;
        // It is never removed, so all that open it lock the same file.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.root.join(format!("{}.lock", self.digest)))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// A directory for a new attempt. What is left of earlier ones goes, as far as nobody writes there any more.
    pub(super) fn begin(&self) -> io::Result<PathBuf> {
        let _ = self.remove();
        let directory = self.directory();
        fs::create_dir_all(&directory)?;
        let all = Permissions::from_mode(0o755);
        let attempt = tempfile::Builder::new().prefix(ATTEMPT).permissions(all).tempdir_in(directory)?;
        Ok(attempt.keep())
    }

    /// Declares an attempt complete, in one step.
    pub(super) fn complete(&self, attempt: &Path) -> io::Result<()> {
        let name = attempt.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let link = attempt.with_extension("link");
        symlink(name, &link)?;
        fs::rename(link, self.directory().join(READY))
    }

    /// Removes it, the mark of its completeness first.
    pub(super) fn remove(&self) -> io::Result<()> {
        let directory = self.directory();
        for gone in [fs::remove_file(directory.join(READY)), fs::remove_dir_all(&directory)] {
            match gone {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether `directory` was last used more than `age` ago.
pub(super) fn is_unused(directory: &Path, age: Duration) -> io::Result<bool> {
    let used = fs::metadata(directory)?.modified()?;
    Ok(used.elapsed().is_ok_and(|elapsed| elapsed > age))
}

fn mark_used(directory: &Path) -> io::Result<()> {
    if is_unused(directory, STALE)? { File::open(directory)?.set_modified(SystemTime::now()) } else { Ok(()) }
}
