//! Private working directories: one for each run.
//!
//! Making and removing a directory can take milliseconds on a real disk, more than starting a program does. So one that a
//! run left as it found it, private and empty but for a blank [`note`], is given to a later run; any other goes, with all
//! that is in it, where that holds up nobody.
//!
//! They lie under one directory per process, `<cache>/work/<pid>-<start time>`. A process that was killed leaves its own
//! behind, and the next one to start removes it.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use attune_process::ProcessIdentity;
use tempfile::TempDir;

use crate::note;

/// As many are kept for later.
const KEPT: usize = 64;

/// For nobody but this user.
const PRIVATE: u32 = 0o700;

type Pool = Arc<Mutex<Vec<TempDir>>>;

/// Where one process makes its working directories.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    pool: Pool,
}

/// The working directory of one run, until this value is dropped.
#[derive(Debug)]
pub struct WorkingDirectory {
    directory: Option<TempDir>,
    pool: Pool,
}

impl Scratch {
    /// The place of this process under a cache directory; what dead processes left behind goes.
    pub fn open(cache: &Path) -> io::Result<Self> {
        let all = cache.join("work");
        fs::create_dir_all(&all)?;
        sweep(&all);
        let me = ProcessIdentity::current()?;
        let root = all.join(format!("{}-{}", me.pid, me.start_time));
        match fs::DirBuilder::new().mode(0o755).create(&root) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self { root, pool: Pool::default() }),
        }
    }

    /// An empty directory that nobody else can look into.
    pub fn directory(&self) -> io::Result<WorkingDirectory> {
        let kept = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let directory = match kept {
            Some(directory) => directory,
            None => private_directory(&self.root)?,
        };
        Ok(WorkingDirectory { directory: Some(directory), pool: Arc::clone(&self.pool) })
    }
}

impl WorkingDirectory {
    /// Its path.
    pub fn path(&self) -> &Path {
        self.directory.as_ref().expect("the directory is taken by nobody but drop").path()
    }
}

impl Drop for WorkingDirectory {
    fn drop(&mut self) {
        let Some(directory) = self.directory.take() else { return };
        if is_as_new(directory.path()).unwrap_or(false) {
            let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
            if pool.len() < KEPT {
                return pool.push(directory);
            }
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(directory));
        }
    }
}

fn private_directory(root: &Path) -> io::Result<TempDir> {
    let private = fs::Permissions::from_mode(PRIVATE);
    tempfile::Builder::new().prefix("run-").permissions(private).tempdir_in(root)
}

fn is_as_new(directory: &Path) -> io::Result<bool> {
    let mode = fs::symlink_metadata(directory)?.permissions().mode() & 0o7777;
    let mut entries = fs::read_dir(directory)?;
    Ok(mode == PRIVATE && entries.all(|entry| entry.is_ok_and(|entry| note::is_blank(&entry.path()))))
}

/// Best effort: what can not be removed now is tried again by the next process.
fn sweep(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_orphaned) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_orphaned(name: &str) -> bool {
    let Some((pid, start_time)) = name.split_once('-') else { return false };
    let (Ok(pid), Ok(start_time)) = (pid.parse(), start_time.parse::<u64>()) else { return false };
    ProcessIdentity::of(pid).map_or(true, |process| process.start_time != start_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_orphan_goes_with_the_next_process() {
        let cache = tempfile::tempdir().unwrap();
        let orphan = cache.path().join("work/1-1/run-x");
        fs::create_dir_all(&orphan).unwrap();
        let scratch = Scratch::open(cache.path()).unwrap();
        assert!(!orphan.exists());
        let again = Scratch::open(cache.path()).unwrap();
        assert!(again.root == scratch.root && again.root.exists());
    }

    #[tokio::test]
    async fn only_what_is_as_new_is_used_again() {
        let cache = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(cache.path()).unwrap();
        let used = |change: &dyn Fn(&Path)| {
            let directory = scratch.directory().unwrap();
            change(directory.path());
            directory.path().to_owned()
        };
        let clean = used(&|_| {});
        let noted = |path: &Path| note::write(path, b"{\"state\": 1}").map(|_| note::blank(path)).unwrap();
        assert_eq!(used(&noted), clean);
        assert_eq!(used(&|path| fs::write(path.join("x"), "").unwrap()), clean);
        let other = used(&|path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap());
        assert_ne!(other, clean);
        let third = scratch.directory().unwrap();
        assert!(third.path() != other && is_as_new(third.path()).unwrap());
    }
}
