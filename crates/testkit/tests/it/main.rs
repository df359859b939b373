//! The testkit as tests use it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, and so may what it calls")]

mod command;
mod databases;
