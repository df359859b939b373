//! Databases for tests, and packages that they install.
//!
//! Every test that touches SQL gets a real database of its own, so tests run side by side and see nothing of each other.
//! A database is a clone of a migrated template, which costs tens of milliseconds where migrating costs hundreds.
//!
//! The cluster is the one that `ATTUNE_TEST_DATABASE_URL` names (`with-postgres` starts one and sets it), else a throwaway
//! one per process that dies with it, so that a bare `cargo test` works on a machine with nothing but `PostgreSQL`
//! installed.
//!
//! # Invariants
//! - The template is named after a hash of the migrations and appears by a rename, so it is whole wherever it is seen,
//!   and a cluster that is used again by newer code gets a new one.
//! - A test database's name says which process owns it. It is dropped when its [`TestDb`] is; what a killed process left
//!   behind, the next one drops.
//!
//! # Failure
//! Nothing here is worth recovering from: everything panics with what was attempted.

pub mod cluster;
pub mod migrations;
mod owner;
pub mod packages;
mod reaper;
mod scratch;
mod template;
mod test_db;
pub mod trial;

pub use migrations::migrate_rest;
pub use reaper::sweep;
pub use scratch::Scratch;
pub use test_db::TestDb;
