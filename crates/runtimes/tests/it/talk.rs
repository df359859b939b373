//! Talks with programs of the shipped packs while they run.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::with_little;

/// A program in a directory of its own, and what is said.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) home: TempDir,
}

impl Talk {
    pub(crate) fn start(command: &mut Command) -> Self {
        let home = tempfile::tempdir().unwrap();
        with_little(command).current_dir(&home);
        Self::start_as_it_is(command, home)
    }

    pub(crate) fn start_as_it_is(command: &mut Command, home: TempDir) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, home }
    }

    /// The next message; none when it has ended.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        (!line.is_empty())
            .then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}")))
    }

    pub(crate) fn say(&mut self, order: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{order}").unwrap();
    }

    /// This side of its stdin and stdout.
    pub(crate) fn descriptors(&self) -> (RawFd, RawFd) {
        (self.input.as_ref().unwrap().as_raw_fd(), self.output.get_ref().as_raw_fd())
    }

    /// Ends its stdin, and gives its log.
    pub(crate) fn end(mut self) -> String {
        drop(self.input.take());
        assert_eq!(self.next(), None);
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.ends_well(), "{log}");
        log
    }

    pub(crate) fn ends_well(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Files of code in a directory of their own.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, source: &str) -> PathBuf {
        let path = self.0.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, source).unwrap();
        path
    }
}
