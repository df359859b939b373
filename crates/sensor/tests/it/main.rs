//! The sensor worker against a real database and real programs.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod bad_input;
mod changes;
#[path = "../../../worker/tests/it/corpus.rs"]
mod corpus;
mod dead;
mod environments;
mod fixture;
mod hostile;
mod laboratory;
mod missed;
mod ownership;
#[path = "../../../worker/tests/it/pack.rs"]
mod pack;
mod passes;
mod pokes;
mod polls;
mod registration;
mod requirements;
mod streams;
mod ticks;
mod usage;
mod warm;
