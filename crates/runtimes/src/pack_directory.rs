//! A pack as its author has it: a directory on disk, read and checked.

use std::path::{Path, PathBuf};

use attune_core::pack::{Fault, MANIFEST, Pack};

use crate::directory::{self, DirectoryError};
use crate::files::Files;

/// A directory that is a pack.
#[derive(Clone, Debug)]
pub struct PackDirectory {
    /// Where it is.
    pub root: PathBuf,
    /// Its files.
    pub files: Files,
    /// What they say.
    pub pack: Pack,
}

/// Why a directory is no pack.
#[derive(Debug, thiserror::Error)]
pub enum PackDirectoryError {
    /// It can not be read.
    #[error(transparent)]
    Unreadable(#[from] DirectoryError),
    /// Its author has to correct these.
    #[error("{} is not valid\n  {}", root.display(), lines(faults))]
    Faulty {
        /// Where it is.
        root: PathBuf,
        /// What is wrong.
        faults: Vec<Fault>,
    },
}

impl PackDirectory {
    /// Reads the pack at `root`.
    pub fn read(root: &Path) -> Result<Self, PackDirectoryError> {
        let files = directory::read(root)?;
        let faulty = |faults| PackDirectoryError::Faulty { root: root.to_owned(), faults };
        let pack = Pack::parse(files.contents()).map_err(faulty)?;
        Ok(Self { root: root.to_owned(), files, pack })
    }

    /// The pack that a file lies in: the nearest directory above it with a manifest, as far as possible in the words in
    /// which the file was named.
    pub fn root_of(file: &Path) -> Option<PathBuf> {
        let is_pack = |path: &&Path| path.join(MANIFEST).is_file();
        let named = file.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).find(is_pack);
        named.map(Path::to_owned).or_else(|| {
            let absolute = std::path::absolute(file).ok()?;
            absolute.ancestors().skip(1).find(is_pack).map(Path::to_owned)
        })
    }

    /// The path of a file from the pack's root.
    pub fn path_of(&self, file: &Path) -> Option<String> {
        let (root, file) = (self.root.canonicalize().ok()?, file.canonicalize().ok()?);
        Some(file.strip_prefix(root).ok()?.to_str()?.to_owned())
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_finds_its_pack_and_its_path_in_there() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("demo");
        std::fs::create_dir_all(root.join("sensors/deep")).unwrap();
        std::fs::write(root.join(MANIFEST), "ref: demo\nname: Demo\nversion: 1.0.0\n").unwrap();
        let code = root.join("sensors/deep/x.rb");
        std::fs::write(&code, "").unwrap();
        assert_eq!(PackDirectory::root_of(&code), Some(root.clone()));
        assert_eq!(PackDirectory::root_of(&home.path().join("x.rb")), None);
        let pack = PackDirectory::read(&root).unwrap();
        assert_eq!(
            pack.path_of(&root.join("sensors/../sensors/deep/x.rb")).as_deref(),
            Some("sensors/deep/x.rb")
        );
        assert_eq!(pack.path_of(home.path()), None);
    }

    #[test]
    fn faults_are_told_a_line_each() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(MANIFEST), "ref: demo\nnmae: Demo\nversion: 1.0.0\n").unwrap();
        let error = PackDirectory::read(root.path()).unwrap_err().to_string();
        assert!(
            error.contains("is not valid\n  pack.yaml:1: name: is missing\n  pack.yaml:2: nmae: "),
            "{error}"
        );
    }
}
