//! Where a program's output goes: to a sink of the caller's, as it comes, or into memory within bounds.

use std::collections::VecDeque;

use crate::program::{Limits, OnOverflow, StreamLimit};

/// Takes what a program writes, in the order of each stream; the order between the two is as the pipes deliver it.
/// It is called on the task that runs the program, which reads nothing meanwhile: so it should be quick.
pub trait Output {
    /// The next bytes of standard output.
    fn stdout(&mut self, chunk: &[u8]);
    /// The next bytes of standard error.
    fn stderr(&mut self, chunk: &[u8]);
}

/// Both streams in memory, each within its limit.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
}

impl Capture {
    /// Room for what a program may write within these limits.
    pub fn within(limits: &Limits) -> Self {
        Self { stdout: Captured::within(limits.stdout), stderr: Captured::within(limits.stderr) }
    }
}

impl Output for Capture {
    fn stdout(&mut self, chunk: &[u8]) {
        self.stdout.push(chunk);
    }

    fn stderr(&mut self, chunk: &[u8]) {
        self.stderr.push(chunk);
    }
}

/// One stream: all of it, or when it was longer than its limit its beginning and its end.
#[derive(Clone, Debug)]
pub struct Captured {
    head: Vec<u8>,
    head_limit: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    omitted: u64,
}

impl Captured {
    /// A stream that ends its program at the limit is kept from its beginning; of one that may be longer, both ends
    /// are kept, since the cause of a failure is mostly near the last line.
    pub fn within(limit: StreamLimit) -> Self {
        let head_limit = match limit.on_overflow {
            OnOverflow::Kill => limit.bytes,
            OnOverflow::Truncate => limit.bytes / 2,
        };
        let tail_limit = limit.bytes - head_limit;
        Self { head: Vec::new(), head_limit, tail: VecDeque::new(), tail_limit, omitted: 0 }
    }

    /// Adds what comes next.
    pub fn push(&mut self, chunk: &[u8]) {
        let (head, rest) = chunk.split_at(chunk.len().min(self.head_limit - self.head.len()));
        self.head.extend_from_slice(head);
        let (skipped, rest) = rest.split_at(rest.len().saturating_sub(self.tail_limit));
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..excess);
        self.tail.extend(rest);
        self.omitted += (skipped.len() + excess) as u64;
    }

    /// How many bytes between the beginning and the end were not kept.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// The bytes, with a line in between that says how many are missing if any are.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        if self.omitted > 0 {
            bytes.extend_from_slice(format!("\n[... {} bytes omitted ...]\n", self.omitted).as_bytes());
        }
        let (front, back) = self.tail.as_slices();
        bytes.extend_from_slice(front);
        bytes.extend_from_slice(back);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(limit: StreamLimit, chunks: &[&str]) -> (String, u64) {
        let mut captured = Captured::within(limit);
        for chunk in chunks {
            captured.push(chunk.as_bytes());
        }
        let omitted = captured.omitted();
        (String::from_utf8(captured.into_bytes()).unwrap(), omitted)
    }

    #[test]
    fn what_fits_is_kept_as_it_came() {
        for limit in [StreamLimit::kill(8), StreamLimit::truncate(8)] {
            assert_eq!(captured(limit, &["ab", "cdefg", "", "h"]), ("abcdefgh".into(), 0));
        }
    }

    #[test]
    fn of_what_is_too_long_both_ends_are_kept() {
        let expected = ("abcd\n[... 3 bytes omitted ...]\nhijk".to_owned(), 3);
        assert_eq!(captured(StreamLimit::truncate(8), &["abcdefghijk"]), expected);
        assert_eq!(captured(StreamLimit::truncate(8), &["abc", "defg", "hi", "jk"]), expected);
        assert_eq!(captured(StreamLimit::truncate(8), &["a", "bcdefghi", "jk"]), expected);
    }

    #[test]
    fn of_what_ends_the_program_the_beginning_is_kept() {
        assert_eq!(
            captured(StreamLimit::kill(4), &["abc", "def"]),
            ("abcd\n[... 2 bytes omitted ...]\n".into(), 2)
        );
    }

    #[test]
    fn no_room_keeps_nothing() {
        assert_eq!(captured(StreamLimit::truncate(0), &["abc"]), ("\n[... 3 bytes omitted ...]\n".into(), 3));
    }
}
