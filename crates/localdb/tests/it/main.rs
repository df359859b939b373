//! The private database as its owner and its next owner see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, and so may what it calls")]

mod accounts;
mod crash;
mod life;
mod owner;
