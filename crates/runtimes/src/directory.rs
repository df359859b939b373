//! A directory on disk as the files of a pack.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::files::{Files, FilesError, MAX_FILE};

/// What tools leave behind beside the sources, and what each machine makes for itself.
const SKIPPED: &[&str] = &[".git", "__pycache__", "node_modules"];

/// Whether a path of a pack, or a name in it, is none of the pack's content.
pub fn is_skipped(path: &str) -> bool {
    path.split('/').any(|name| SKIPPED.contains(&name))
}

/// Why a directory can not be read as a pack.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The system refused.
    #[error("can not read {path}")]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not.
        source: io::Error,
    },
    /// A name that is not UTF-8.
    #[error("the name of {path:?} is not UTF-8")]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// A link, a socket or something else that is neither file nor directory.
    #[error("{path:?} is neither a file nor a directory; a pack has nothing else")]
    Special {
        /// The path.
        path: PathBuf,
    },
    /// A file that a pack can not have.
    #[error(transparent)]
    File(#[from] FilesError),
}

/// Reads all files under `root`, without version control, caches and installed dependencies.
pub fn read(root: &Path) -> Result<Files, DirectoryError> {
    let mut files = Files::default();
    read_into(&mut files, root, "")?;
    Ok(files)
}

/// Paths, times and sizes.
pub type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// What tells one state of a directory, or of a single file, from another without reading it.
pub fn stamp(root: &Path) -> Result<Stamp, DirectoryError> {
    if let Ok(file) = root.metadata()
        && file.is_file()
    {
        return Ok(vec![(root.to_owned(), file.modified().ok(), file.len())]);
    }
    let (mut stamp, mut left) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(&directory).map_err(unreadable(&directory))? {
            let entry = entry.map_err(unreadable(&directory))?;
            // What vanishes while it is looked at changes the next look.
            let Ok(metadata) = entry.metadata() else { continue };
            let is_skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
            match (is_skipped, metadata.is_dir()) {
                (true, _) => {}
                (false, true) => left.push(entry.path()),
                (false, false) => stamp.push((entry.path(), metadata.modified().ok(), metadata.len())),
            }
        }
    }
    stamp.sort();
    Ok(stamp)
}

/// Writes files under `root`. None of them may be there: nothing is ever overwritten, and with one in the way none is
/// written.
pub fn write_new(root: &Path, files: &Files) -> io::Result<()> {
    let taken =
        files.contents().keys().map(|path| root.join(path)).find(|path| path.symlink_metadata().is_ok());
    if let Some(path) = taken {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is there already", path.display()),
        ));
    }
    for (path, content) in files.contents() {
        let mode = if files.is_executable(path) { 0o777 } else { 0o666 };
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(root))?;
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?.write_all(content)?;
    }
    Ok(())
}

fn read_into(files: &mut Files, directory: &Path, prefix: &str) -> Result<(), DirectoryError> {
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        let path = entry.path();
        let name =
            entry.file_name().into_string().map_err(|_| DirectoryError::NotUtf8 { path: path.clone() })?;
        if is_skipped(&name) {
            continue;
        }
        let relative = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(unreadable(&path))?;
        if kind.is_dir() {
            read_into(files, &path, &format!("{relative}/"))?;
        } else if kind.is_file() {
            let (content, executable) = read_file(&path)?;
            files.insert(&relative, content, executable)?;
        } else {
            return Err(special(&path));
        }
    }
    Ok(())
}

/// Reads one byte beyond the limit at most, which is enough to be refused. What lies there may have become something else
/// since it was looked at: a link is not followed, and a pipe does not keep this waiting.
fn read_file(path: &Path) -> Result<(Vec<u8>, bool), DirectoryError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = file.map_err(|error| if is_link(&error) { special(path) } else { unreadable(path)(error) })?;
    let metadata = file.metadata().map_err(unreadable(path))?;
    if !metadata.is_file() {
        return Err(special(path));
    }
    let mut content = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(unreadable(path))?;
    Ok((content, metadata.permissions().mode() & 0o111 != 0))
}

fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

fn special(path: &Path) -> DirectoryError {
    DirectoryError::Special { path: path.to_owned() }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |source| DirectoryError::Unreadable { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_sources_with_their_modes_and_leaves_the_rest() {
        let root = tempfile::tempdir().unwrap();
        for path in ["pack.yaml", "actions/run", "actions/__pycache__/x", ".git/config", "node_modules/a/b"] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let run = root.path().join("actions/run");
        std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).unwrap();

        let files = read(root.path()).unwrap();

        assert_eq!(files.contents().keys().collect::<Vec<_>>(), ["actions/run", "pack.yaml"]);
        assert!(files.is_executable("actions/run") && !files.is_executable("pack.yaml"));
    }

    #[test]
    fn writes_all_or_nothing_and_tells_a_change() {
        let root = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        files.insert("a/run", b"x".to_vec(), true).unwrap();
        files.insert("b", b"y".to_vec(), false).unwrap();
        write_new(root.path(), &files).unwrap();
        assert_eq!(read(root.path()).unwrap(), files);
        let before = stamp(root.path()).unwrap();
        assert_eq!(stamp(root.path()).unwrap(), before);
        files.insert("0", b"z".to_vec(), false).unwrap();
        assert_eq!(write_new(root.path(), &files).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(stamp(root.path()).unwrap(), before);
        std::fs::write(root.path().join("b"), "longer").unwrap();
        assert_ne!(stamp(root.path()).unwrap(), before);
    }

    #[test]
    fn refuses_links() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("x")).unwrap();
        assert!(matches!(read(root.path()), Err(DirectoryError::Special { .. })));
        assert!(matches!(read(&root.path().join("none")), Err(DirectoryError::Unreadable { .. })));
    }

    #[test]
    fn what_became_a_link_or_a_pipe_meanwhile_is_neither_followed_nor_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let (link, pipe) = (root.path().join("link"), root.path().join("pipe"));
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        for path in [link, pipe, root.path().to_owned()] {
            assert!(matches!(read_file(&path), Err(DirectoryError::Special { .. })), "{}", path.display());
        }
    }
}
