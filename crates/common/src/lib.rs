//! What every program of Attune shares: configuration, the database, the rows, what a machine can run, and a place in the
//! `worker` table.
//!
//! All SQL lives in [`repositories`], one table family per file. Use cases, HTTP and brokers do not belong here.

pub mod config;
pub mod db;
pub mod fuse;
pub mod models;
pub mod readable;
pub mod registration;
pub mod repositories;
pub mod runtime_detection;
pub mod schema;
