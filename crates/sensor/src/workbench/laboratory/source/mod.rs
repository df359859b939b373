//! Where items are put, for a sensor to find: its source. Whoever puts them in knows what a sensor has to see.

mod command;
mod files;
mod lines;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;

use command::Command;
use files::Files;
use lines::Lines;

/// What kind of source, and where the sensor learns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file that lines are appended to; its path goes under this key of the configuration.
    Lines(Option<String>),
    /// A directory in which files appear; its path goes under this key of the configuration.
    Files(Option<String>),
    /// A program that puts items into the source.
    Command(PathBuf),
}

impl FromStr for SourceKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let key = (!rest.is_empty()).then(|| rest.to_owned());
        match (kind, &key) {
            ("lines", _) => Ok(Self::Lines(key)),
            ("files", _) => Ok(Self::Files(key)),
            ("command", Some(program)) => Ok(Self::Command(program.into())),
            _ => Err("lines:KEY, files:KEY or command:PROGRAM is wanted".to_owned()),
        }
    }
}

impl SourceKind {
    /// The key of the configuration that gets the path of the source.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Lines(key) | Self::Files(key) => key.as_deref(),
            Self::Command(_) => None,
        }
    }
}

/// What is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The name of the item, which begins it.
    pub(super) name: String,
    /// What follows the name.
    pub(super) rest: String,
}

impl Text {
    fn whole(&self) -> String {
        format!("{}{}", self.name, self.rest)
    }
}

/// Why nothing could be put in.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file system refused.
    #[error("can not write to the source {}: {source}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no such program.
    #[error("can not put items into the source: {} is no program: {source}", program.display())]
    NoProgram {
        /// Its path.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The program did not do it.
    #[error("can not put items into the source: {program} {reason}", program = program.display())]
    Program {
        /// Its path.
        program: PathBuf,
        /// What became of it.
        reason: String,
    },
}

/// A source.
#[derive(Debug)]
pub(super) enum Source {
    Lines(Lines),
    Files(Files),
    Command(Command),
}

impl Source {
    /// An empty one in this directory.
    pub(super) fn open(kind: &SourceKind, directory: &Path) -> Result<Self, SourceError> {
        Ok(match kind {
            SourceKind::Lines(_) => Self::Lines(Lines::create(directory.join("source"))?),
            SourceKind::Files(_) => Self::Files(Files::create(directory)?),
            SourceKind::Command(program) => Self::Command(Command::new(program, directory)?),
        })
    }

    /// What stands for `{source}`.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Lines(lines) => Some(lines.path()),
            Self::Files(files) => Some(files.path()),
            Self::Command(_) => None,
        }
    }

    /// Puts items in. One that is in already comes again.
    pub(super) async fn add(&mut self, texts: &[Text], config: &Value) -> Result<(), SourceError> {
        match self {
            Self::Lines(lines) => lines.add(texts),
            Self::Files(files) => files.add(texts),
            Self::Command(command) => command.add(texts, config).await,
        }
    }

    /// Puts in the first part of an item. `false`: it takes only whole ones.
    pub(super) fn begin(&mut self, text: &Text) -> Result<bool, SourceError> {
        match self {
            Self::Lines(lines) => lines.begin(text).map(|()| true),
            Self::Files(files) => files.begin(text).map(|()| true),
            Self::Command(_) => Ok(false),
        }
    }

    /// Puts in what was left of it.
    pub(super) fn complete(&mut self, text: &Text) -> Result<(), SourceError> {
        match self {
            Self::Lines(lines) => lines.complete(text),
            Self::Files(files) => files.complete(text),
            Self::Command(_) => Ok(()),
        }
    }
}
