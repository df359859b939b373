//! What `attune-common` does with real files, programs and databases.

mod config;
mod fingerprints;
mod migrations;
mod runtime_detection;
mod sensor_status;
