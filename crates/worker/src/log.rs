//! The log of a run: what it writes to stderr, bytes as they come, stored about each second while it runs.
//!
//! Beyond its limit a log is cut, with a line that says so, and the run goes on. The last bytes are kept apart, because
//! that is where the reason of a failure mostly stands.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use attune_process::{Captured, Output, StreamLimit};

/// As much of the end as an error quotes.
const TAIL: usize = 2000;

/// Takes both streams of a run: stdout in memory for the result, stderr for the log.
#[derive(Debug)]
pub(crate) struct Streams {
    pub(crate) stdout: Captured,
    pub(crate) log: Log,
}

impl Streams {
    pub(crate) fn new(stdout: StreamLimit, log_limit: usize) -> Self {
        Self { stdout: Captured::within(stdout), log: Log::new(log_limit) }
    }
}

impl Output for Streams {
    fn stdout(&mut self, chunk: &[u8]) {
        self.stdout.push(chunk);
    }

    fn stderr(&mut self, chunk: &[u8]) {
        self.log.push(chunk);
    }
}

/// A log that is written and taken away at once; clones are the same log.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    pending: Vec<u8>,
    room: usize,
    cut: bool,
    tail: Vec<u8>,
}

impl Log {
    fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Inner { pending: Vec::new(), room: limit, cut: false, tail: Vec::new() })))
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<u8> {
        mem::take(&mut self.inner().pending)
    }

    /// Puts back what could not be stored.
    pub(crate) fn put_back(&self, mut chunk: Vec<u8>) {
        let mut inner = self.inner();
        chunk.append(&mut inner.pending);
        inner.pending = chunk;
    }

    /// The last lines, as text.
    pub(crate) fn last_lines(&self) -> String {
        String::from_utf8_lossy(&self.inner().tail).trim().to_owned()
    }

    pub(crate) fn push(&self, chunk: &[u8]) {
        self.inner().push(chunk);
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, chunk: &[u8]) {
        let taken = chunk.len().min(self.room);
        self.room -= taken;
        self.pending.extend_from_slice(&chunk[..taken]);
        if taken < chunk.len() && !mem::replace(&mut self.cut, true) {
            self.pending
                .extend_from_slice(b"\n[... the log is longer than its limit; the rest is not kept ...]\n");
        }
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL)..]);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_once_and_its_end_is_known() {
        let log = Log::new(4);
        log.push(b"abc");
        assert_eq!(log.take(), b"abc");
        log.push(b"def");
        log.push(b"ghi\n");
        let rest = String::from_utf8(log.take()).unwrap();
        assert!(rest.starts_with("d\n[... ") && !rest.contains("ghi"), "{rest}");
        assert_eq!(log.last_lines(), "abcdefghi");
    }

    #[test]
    fn what_was_put_back_comes_first() {
        let log = Log::new(100);
        log.push(b"a");
        let taken = log.take();
        log.push(b"b");
        log.put_back(taken);
        assert_eq!(log.take(), b"ab");
    }
}
