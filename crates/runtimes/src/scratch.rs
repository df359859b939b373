//! Private working directories: one for each run, gone after it.
//!
//! They lie under one directory per process, `<cache>/work/<pid>-<start time>`. A process that was killed leaves its own
//! behind, and the next one to start removes it.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use attune_process::ProcessIdentity;
use tempfile::TempDir;

/// Where one process makes its working directories.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
}

/// The working directory of one run; it goes with this value.
#[derive(Debug)]
pub struct WorkingDirectory(Option<TempDir>);

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
            _ => Ok(Self { root }),
        }
    }

    /// A new directory that nobody else can look into.
    pub fn directory(&self) -> io::Result<WorkingDirectory> {
        let directory = tempfile::Builder::new().prefix("run-").tempdir_in(&self.root)?;
        Ok(WorkingDirectory(Some(directory)))
    }
}

impl WorkingDirectory {
    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.as_ref().expect("the directory is taken by nobody but drop").path()
    }
}

impl Drop for WorkingDirectory {
    /// Most runs leave nothing behind. What some leave is removed where it holds up nobody.
    fn drop(&mut self) {
        let Some(directory) = self.0.take() else { return };
        if fs::remove_dir(directory.path()).is_ok() {
            let _ = directory.keep();
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(directory));
        }
    }
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
    async fn a_directory_goes_with_its_run_and_an_orphan_with_the_next_process() {
        let cache = tempfile::tempdir().unwrap();
        let orphan = cache.path().join("work/1-1/run-x");
        fs::create_dir_all(&orphan).unwrap();
        let scratch = Scratch::open(cache.path()).unwrap();
        assert!(!orphan.exists());

        let path = scratch.directory().unwrap().path().to_owned();
        assert!(path.starts_with(&scratch.root) && !path.exists());
        let again = Scratch::open(cache.path()).unwrap();
        assert!(again.root == scratch.root && again.root.exists());
    }
}
