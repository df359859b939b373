//! What a stream prints for people: its stderr and its `log` messages go to the worker's log, so many lines a second and so
//! much of each line, and the end of its stderr is kept for the case that it fails.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lines in one second.
const LINES: u32 = 100;
/// Bytes of one line.
const LENGTH: usize = 4096;
/// As much of the end of stderr as an error quotes.
const TAIL: usize = 2000;

/// The log of one run of a stream.
#[derive(Debug)]
pub(crate) struct Log<'a> {
    place: Place<'a>,
    budget: Budget,
    /// A line that has not ended, as far as it is kept.
    line: Vec<u8>,
    tail: Vec<u8>,
}

/// Where it goes.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// Into the worker's log, as that of this sensor.
    Worker(&'a str),
    /// Into a text.
    Kept(&'a Mutex<String>),
}

impl<'a> Log<'a> {
    /// The log of a sensor.
    pub(super) fn of(sensor: &'a str, now: Instant) -> Self {
        Self::at(Place::Worker(sensor), now)
    }

    /// A log that is kept.
    pub(super) fn kept(text: &'a Mutex<String>, now: Instant) -> Self {
        Self::at(Place::Kept(text), now)
    }

    fn at(place: Place<'a>, now: Instant) -> Self {
        Self { place, budget: Budget::new(now), line: Vec::new(), tail: Vec::new() }
    }

    /// Takes bytes of stderr.
    pub(super) fn stderr(&mut self, chunk: &[u8]) {
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        for part in chunk.split_inclusive(|&byte| byte == b'\n') {
            let room = LENGTH.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.print(None, String::from_utf8_lossy(&line).trim_end());
            }
        }
    }

    /// Takes a message of type `log`.
    pub(super) fn message(&mut self, level: Option<&str>, message: &str) {
        self.print(level, &message[..message.floor_char_boundary(LENGTH)]);
    }

    /// The last lines of stderr.
    pub(super) fn tail(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim().to_owned()
    }

    fn print(&mut self, level: Option<&str>, line: &str) {
        let (admitted, left_out) = self.budget.admit(Instant::now());
        if left_out > 0 {
            self.place.print(
                Some("warn"),
                &format!("{left_out} lines of this log came too fast and were left out"),
            );
        }
        if admitted {
            self.place.print(level, line);
        }
    }
}

impl Place<'_> {
    /// In the worker's log complaints are shown by default, all else to who asks for it.
    fn print(self, level: Option<&str>, line: &str) {
        match (self, level.map(str::to_ascii_lowercase).as_deref()) {
            (Self::Kept(text), _) => {
                let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                text.extend([line, "\n"]);
            }
            (Self::Worker(sensor), Some("warn" | "warning" | "error" | "critical" | "fatal")) => {
                tracing::warn!(sensor.ref = %sensor, "{line}");
            }
            (Self::Worker(sensor), _) => tracing::debug!(sensor.ref = %sensor, "{line}"),
        }
    }
}

/// So many lines a second.
#[derive(Debug)]
struct Budget {
    since: Instant,
    used: u32,
    left_out: u32,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self { since: now, used: 0, left_out: 0 }
    }

    /// Whether one more line may be printed, and how many could not before, when it is time to say so.
    fn admit(&mut self, now: Instant) -> (bool, u32) {
        let mut left_out = 0;
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            left_out = std::mem::take(&mut self.left_out);
            (self.since, self.used) = (now, 0);
        }
        let admitted = self.used < LINES;
        self.used += u32::from(admitted);
        self.left_out += u32::from(!admitted);
        (admitted, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_of_lines_is_cut_and_counted() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        let admitted = (0..1000).filter(|_| budget.admit(now).0).count();
        assert_eq!(admitted, 100);
        assert_eq!(budget.admit(now + Duration::from_secs(1)), (true, 900));
        assert_eq!(budget.admit(now + Duration::from_secs(1)), (true, 0));
    }

    #[tokio::test]
    async fn of_stderr_the_end_is_kept_and_no_line_grows_without_end() {
        let mut log = Log::of("demo.s", Instant::now());
        log.stderr(&b"x".repeat(1_000_000));
        log.stderr(b"pump");
        log.stderr(b" broken\n");
        assert!(log.tail().ends_with("xpump broken") && log.tail().len() == TAIL - 1);
        log.stderr(&b"y".repeat(1_000_000));
        assert_eq!(log.line.len(), LENGTH);
    }
}
