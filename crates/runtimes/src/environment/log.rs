//! What a build says: all of it in a file, within bounds, and the end of it at hand for the error.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use attune_process::Output;

use super::error::Said;

/// As much is kept in the file.
const ROOM: usize = 10_000_000;
/// As much of the end is quoted.
const TAIL: usize = 2000;

/// The log of one build.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    room: usize,
    tail: VecDeque<u8>,
}

impl Log {
    /// Begins it anew.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self { path: path.to_owned(), file, room: ROOM, tail: VecDeque::new() })
    }

    /// Says which command comes next.
    pub(super) fn command(&mut self, argv: &[OsString]) {
        let line: Vec<_> = argv.iter().map(|part| part.to_string_lossy()).collect();
        self.write(format!("$ {}\n", line.join(" ")).as_bytes());
        self.tail.clear();
    }

    /// What the last command said.
    pub(super) fn said(&self) -> Said {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let text = String::from_utf8_lossy(&tail);
        let whole_lines = match text.split_once('\n') {
            Some((_, rest)) if tail.len() == TAIL && !rest.trim().is_empty() => rest,
            _ => &text,
        };
        Said { lines: whole_lines.trim().to_owned(), log: self.path.clone() }
    }

    fn push(&mut self, chunk: &[u8]) {
        self.write(chunk);
        self.tail.extend(&chunk[chunk.len().saturating_sub(TAIL)..]);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }

    /// A log that can not be written is no reason to end a build.
    fn write(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.room)];
        if self.file.write_all(bytes).is_ok() {
            self.room -= bytes.len();
        }
    }
}

impl Output for Log {
    fn stdout(&mut self, chunk: &[u8]) {
        self.push(chunk);
    }

    fn stderr(&mut self, chunk: &[u8]) {
        self.push(chunk);
    }
}
