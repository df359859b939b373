//! What this machine can run, found out from rows of every kind, hostile ones too, with programs that each test writes.

#![expect(clippy::unwrap_used, reason = "a test that can not go on says so by panicking")]

mod cache;
mod detector;
mod hostile;
mod logs;
mod programs;
mod verdicts;
