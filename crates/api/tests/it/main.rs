//! The API over real connections, on a real database.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

mod actions;
mod client;
mod crowds;
mod events;
mod fuzz;
mod guard;
mod hostile;
mod metrics;
mod orders;
mod packs;
mod pages;
mod poison;
mod rates;
mod rows;
mod runs;
mod server;
mod start;
mod times;
mod trials;
