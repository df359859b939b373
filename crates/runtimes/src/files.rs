//! The files of a pack in memory, and the limits of a pack.

use std::collections::{BTreeMap, BTreeSet};

/// Bytes of all files together.
pub const MAX_TOTAL: u64 = 64 * 1024 * 1024;
/// Files of one pack.
pub const MAX_FILES: usize = 10_000;
/// Bytes of one file.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Bytes of one path, as the strictest of the common tools has it.
pub(crate) const MAX_PATH: usize = 1024;
const MAX_NAME: usize = 255;

/// The files of a pack: plain relative paths, contents, and which of them are executable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    contents: BTreeMap<String, Vec<u8>>,
    executable: BTreeSet<String>,
    size: u64,
}

/// Why a file can not be part of a pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// A path that leads elsewhere or that not every machine can have.
    #[error("the path {path:?} {reason}")]
    Path {
        /// The path, made readable.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The same path twice, or a file where another one needs a directory.
    #[error("the path {path:?} is there twice, as a file and as a file or a directory")]
    Conflict {
        /// The path.
        path: String,
    },
    /// A file beyond [`MAX_FILE`].
    #[error("{path:?} is larger than {MAX_FILE} bytes")]
    FileTooLarge {
        /// The path.
        path: String,
    },
    /// Files beyond [`MAX_TOTAL`].
    #[error("the files are larger than {MAX_TOTAL} bytes together")]
    TooLarge,
    /// Files beyond [`MAX_FILES`].
    #[error("there are more than {MAX_FILES} files")]
    TooMany,
}

impl Files {
    /// Files that came without modes, such as embedded ones: those that begin with `#!` are executable.
    pub fn without_modes(contents: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, FilesError> {
        let mut files = Self::default();
        for (path, content) in contents {
            let executable = content.starts_with(b"#!");
            files.insert(&path, content, executable)?;
        }
        Ok(files)
    }

    /// Adds a file, within the limits and under a path that can not leave the pack.
    pub fn insert(&mut self, path: &str, content: Vec<u8>, executable: bool) -> Result<(), FilesError> {
        check_path(path)?;
        let size = content.len() as u64;
        if size > MAX_FILE {
            return Err(FilesError::FileTooLarge { path: path.to_owned() });
        }
        if self.size + size > MAX_TOTAL {
            return Err(FilesError::TooLarge);
        }
        if self.contents.len() == MAX_FILES {
            return Err(FilesError::TooMany);
        }
        if self.conflicts(path) {
            return Err(FilesError::Conflict { path: path.to_owned() });
        }
        self.size += size;
        self.contents.insert(path.to_owned(), content);
        if executable {
            self.executable.insert(path.to_owned());
        }
        Ok(())
    }

    /// The same files but for one.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.size -= self.contents.remove(path).map_or(0, |content| content.len() as u64);
        self.executable.remove(path);
        self
    }

    /// Paths and contents, in the order of the paths.
    pub const fn contents(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.contents
    }

    /// Whether the file is executable.
    pub fn is_executable(&self, path: &str) -> bool {
        self.executable.contains(path)
    }

    /// Scripts whose first line, which names their interpreter, ends in CR LF: most interpreters can not read those.
    pub fn foreign_line_ends(&self) -> impl Iterator<Item = &str> {
        let is_foreign = |content: &[u8]| {
            let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
            first.starts_with(b"#!") && first.ends_with(b"\r")
        };
        self.contents.iter().filter(move |(_, content)| is_foreign(content)).map(|(path, _)| path.as_str())
    }

    /// Bytes of all contents.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether `path` exists, is a directory of a file that exists, or lies under one.
    fn conflicts(&self, path: &str) -> bool {
        let mut ancestors = path.match_indices('/').map(|(end, _)| &path[..end]);
        let below = format!("{path}/");
        self.contents.contains_key(path)
            || ancestors.any(|directory| self.contents.contains_key(directory))
            || self.contents.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below))
    }
}

fn check_path(path: &str) -> Result<(), FilesError> {
    let refuse = |reason| Err(FilesError::Path { path: path.to_owned(), reason });
    if path.len() > MAX_PATH {
        return refuse("is too long");
    }
    if path.chars().any(char::is_control) {
        return refuse("contains a control character");
    }
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    for name in path.split('/') {
        match name {
            ".." => return refuse("leads out of the pack"),
            "" | "." => return refuse("has an empty step"),
            _ if name.len() > MAX_NAME => return refuse("has a name that is too long"),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(files: &mut Files, path: &str) -> Result<(), FilesError> {
        files.insert(path, b"x".to_vec(), false)
    }

    #[test]
    fn takes_plain_paths_only() {
        let mut files = Files::default();
        let long = "x".repeat(256);
        let deep = "d/".repeat(600) + "x";
        for bad in ["", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a/", "a\0b", "a\nb", &long, &deep] {
            assert!(matches!(insert(&mut files, bad), Err(FilesError::Path { .. })), "{bad:?}");
        }
        insert(&mut files, "a/..b/c d.ü").unwrap();
    }

    #[test]
    fn refuses_what_can_not_lie_side_by_side() {
        let mut files = Files::default();
        insert(&mut files, "a/b").unwrap();
        for conflict in ["a/b", "a", "a/b/c"] {
            assert!(matches!(insert(&mut files, conflict), Err(FilesError::Conflict { .. })), "{conflict}");
        }
        insert(&mut files, "a/bc").unwrap();
        insert(&mut files, "a.b").unwrap();
    }

    #[test]
    fn keeps_within_the_limits() {
        let mut files = Files::default();
        let large = vec![0; usize::try_from(MAX_FILE).unwrap()];
        for name in ["1", "2", "3", "4"] {
            files.insert(name, large.clone(), false).unwrap();
        }
        assert_eq!(insert(&mut files, "5"), Err(FilesError::TooLarge));
        let beyond = [large, vec![0]].concat();
        let refused = Files::default().insert("x", beyond, false);
        assert!(matches!(refused, Err(FilesError::FileTooLarge { .. })));
        let mut many = Files::default();
        (0..MAX_FILES).for_each(|n| insert(&mut many, &n.to_string()).unwrap());
        assert_eq!(insert(&mut many, "x"), Err(FilesError::TooMany));
    }

    #[test]
    fn without_modes_a_first_line_decides() {
        let files = [("run".to_owned(), b"#!/bin/sh\n".to_vec()), ("data".to_owned(), b"x".to_vec())];
        let files = Files::without_modes(files).unwrap();
        assert!(files.is_executable("run") && !files.is_executable("data"));
        assert_eq!(files.size(), 11);
    }
}
