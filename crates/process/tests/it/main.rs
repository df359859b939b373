//! Real programs, started the way the services start them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod daemon;
mod guest;
mod limits;
mod matrix;
mod programs;
mod sandbox;
mod survivors;
mod talk;
mod tree;
mod usage;
