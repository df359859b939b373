//! What `attune-common` does with real files, programs and databases.

mod changes;
mod config;
mod listing;
mod migrations;
mod plans;
mod runtime_detection;
mod sensor_status;
