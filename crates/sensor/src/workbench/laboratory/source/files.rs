//! A directory in which files appear, an item a file: its name is that of the item. They are written beside it and renamed
//! into it, so that none is ever there in part, unless that is wanted.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{SourceError, Text};

#[derive(Debug)]
pub(in super::super) struct Files {
    directory: PathBuf,
    staging: PathBuf,
    /// One that is being written where everybody sees it.
    open: Option<File>,
}

impl Files {
    pub(super) fn create(parent: &Path) -> Result<Self, SourceError> {
        let (directory, staging) = (parent.join("source"), parent.join("staging"));
        for path in [&directory, &staging] {
            fs::create_dir(path).map_err(|source| SourceError::Write { path: path.clone(), source })?;
        }
        Ok(Self { directory, staging, open: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    pub(super) fn add(&mut self, texts: &[Text]) -> Result<(), SourceError> {
        texts.iter().try_for_each(|text| {
            let (staged, path) = (self.staging.join(&text.name), self.directory.join(&text.name));
            let moved = fs::write(&staged, &text.rest).and_then(|()| fs::rename(&staged, &path));
            moved.map_err(|source| SourceError::Write { path, source })
        })
    }

    pub(super) fn begin(&mut self, text: &Text) -> Result<(), SourceError> {
        let path = self.directory.join(&text.name);
        let opened = File::create_new(&path).and_then(|mut file| file.write_all(b"half ").map(|()| file));
        self.open = Some(opened.map_err(|source| SourceError::Write { path, source })?);
        Ok(())
    }

    /// The rest, and it is closed.
    pub(super) fn complete(&mut self, text: &Text) -> Result<(), SourceError> {
        let Some(mut file) = self.open.take() else { return Ok(()) };
        let written = file.write_all(text.rest.as_bytes());
        written.map_err(|source| SourceError::Write { path: self.directory.join(&text.name), source })
    }
}
