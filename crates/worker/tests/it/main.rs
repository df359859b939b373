//! The worker against a real database and real programs.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod cancelling;
mod claims;
mod corpus;
mod environments;
mod fixture;
mod hostile;
mod lifecycle;
mod pack;
mod passes;
mod registration;
mod requirements;
mod retries;
mod runs;
mod usage;
mod warm;
