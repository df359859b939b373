//! A file that lines are appended to, an item a line.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{SourceError, Text};

#[derive(Debug)]
pub(in super::super) struct Lines {
    path: PathBuf,
    file: File,
}

/// Where an item is torn: within its name, so that half of it is no item.
fn tear(text: &Text) -> usize {
    text.name.len() / 2
}

impl Lines {
    pub(super) fn create(path: PathBuf) -> Result<Self, SourceError> {
        match File::options().create_new(true).append(true).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(SourceError::Write { path, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// In one write, as programs write their logs.
    pub(super) fn add(&mut self, texts: &[Text]) -> Result<(), SourceError> {
        let lines: String = texts.iter().map(|text| text.whole() + "\n").collect();
        self.write(&lines)
    }

    pub(super) fn begin(&mut self, text: &Text) -> Result<(), SourceError> {
        self.write(&text.whole()[..tear(text)])
    }

    pub(super) fn complete(&mut self, text: &Text) -> Result<(), SourceError> {
        let line = text.whole() + "\n";
        self.write(&line[tear(text)..])
    }

    fn write(&mut self, text: &str) -> Result<(), SourceError> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| SourceError::Write { path: self.path.clone(), source })
    }
}
