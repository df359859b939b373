//! Who owns a data directory.
//!
//! The kernel's lock decides and ends with its holder, however that ends; the pid in the file is there for messages only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process;

use crate::Error;
use crate::layout::Layout;

/// Ownership of a data directory, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes possession of a data directory in which no cluster is to run; it is created when it is missing.
    pub fn of(data_dir: &Path) -> Result<Self, Error> {
        Self::take(&Layout::create(data_dir)?)
    }

    /// Takes the lock, or says who has it.
    pub(crate) fn take(layout: &Layout) -> Result<Self, Error> {
        let path = layout.lock();
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o644)
            .open(&path)
            .map_err(Error::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(layout)),
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", &path)(error)),
        }
        sign(&mut file).map_err(Error::file("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// The process that owns a data directory now, found without touching the lock: the file names it, and it has the file
/// open. `None` as well when that process is not this user's to look at.
pub fn owner_of(data_dir: &Path) -> Option<u32> {
    let lock = Layout::existing(data_dir).ok()?.lock();
    let pid: u32 = fs::read_to_string(&lock).ok()?.trim().parse().ok()?;
    let mut open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
    open.any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|file| file == lock)).then_some(pid)
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", process::id())
}

fn in_use(layout: &Layout) -> Error {
    let pid = fs::read_to_string(layout.lock()).ok().and_then(|text| text.trim().parse().ok());
    Error::InUse { data_dir: layout.data_dir().to_owned(), pid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_learns_who_was_first() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::existing(directory.path()).unwrap();
        let first = Lock::take(&layout).unwrap();
        assert_eq!(owner_of(directory.path()), Some(process::id()));
        let error = Lock::take(&layout).unwrap_err();
        assert!(matches!(error, Error::InUse { pid: Some(pid), .. } if pid == process::id()), "{error}");
        drop(first);
        assert_eq!(owner_of(directory.path()), None);
        Lock::take(&layout).unwrap();
    }
}
