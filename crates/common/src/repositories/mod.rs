//! All SQL, one table family per file. Verbs are fixed: `get` errors on absence, `find` returns an `Option`, `list`,
//! `insert`, `mark_*`, `claim`, `release`, `delete_*`.

pub mod action;
pub mod canary;
pub mod config_version;
pub mod enabled;
pub mod enforcement;
pub mod event;
pub mod execution;
pub mod execution_order;
pub mod execution_others;
pub mod execution_turn;
pub mod fuse;
pub mod held;
pub mod journey;
pub mod listing;
pub mod missed_tick;
pub mod notice;
pub mod pack;
pub mod pack_thing;
pub mod poke;
pub mod rule;
pub mod run_token;
pub mod runtime;
pub mod scrape;
pub mod sensor;
pub mod sensor_order;
pub mod sensor_state;
pub mod sensor_watch;
pub mod server;
pub mod timer;
pub mod usage;
pub mod worker;
