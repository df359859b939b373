//! A log that is rotated while it is written.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_testkit::trial::rounds;
use serde_json::json;
use tempfile::TempDir;

use super::{Streaming, assert_each_once};

/// Appends numbered lines, and rotates the file in between: by renaming, or by copying and emptying.
struct Log {
    path: PathBuf,
    file: File,
    lines: usize,
    rotations: usize,
}

impl Log {
    fn new(directory: &TempDir) -> Self {
        let path = directory.path().join("app.log");
        Self { file: Self::open(&path), path, lines: 0, rotations: 0 }
    }

    fn open(path: &Path) -> File {
        OpenOptions::new().append(true).create(true).open(path).unwrap()
    }

    /// A part of them in two pieces.
    fn append(&mut self, lines: usize) {
        for _ in 0..lines {
            let line = format!("line {}\n", self.lines);
            let (head, rest) = line.split_at(if self.lines.is_multiple_of(7) { 4 } else { 0 });
            self.file.write_all(head.as_bytes()).unwrap();
            self.file.write_all(rest.as_bytes()).unwrap();
            self.lines += 1;
        }
    }

    fn rotated(&self, number: usize) -> PathBuf {
        self.path.with_extension(format!("log.{number}"))
    }

    fn rotate(&mut self) {
        for number in (1..=self.rotations).rev() {
            fs::rename(self.rotated(number), self.rotated(number + 1)).unwrap();
        }
        if self.rotations.is_multiple_of(2) {
            fs::rename(&self.path, self.rotated(1)).unwrap();
            // Who has it open writes on for a moment.
            self.append(3);
            self.file = Self::open(&self.path);
        } else {
            fs::copy(&self.path, self.rotated(1)).unwrap();
            self.file.set_len(0).unwrap();
        }
        self.rotations += 1;
    }
}

#[tokio::test]
async fn rotation_and_kills_lose_and_double_no_line() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::new(&directory);
    let params = json!({"path": log.path, "from": "start"});
    let mut streaming = Streaming::start("lines", "line_appended", &params).await;
    streaming.running().await;
    for round in 0..rounds(60) {
        log.append(20 + round % 13);
        tokio::time::sleep(Duration::from_millis(37)).await;
        if round % 4 == 3 {
            log.rotate();
        }
        if round % 7 == 6 {
            streaming.kill().await;
        }
    }
    let tally = streaming.tally(log.lines, "line").await;
    assert_each_once(&tally, (0..log.lines).map(|line| format!("line {line}")));
}
