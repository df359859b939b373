//! The use cases of the executor on a real database.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

mod apply;
mod burst;
mod cancel;
mod causes;
mod changes;
mod core_pack;
mod diff;
mod fan_out;
mod faults;
mod fuse;
mod hostile_rules;
mod ingest;
mod load_pack;
mod notices;
mod operator;
mod pack;
mod rates;
mod rejected;
mod retry;
mod rule_book;
mod sensors;
mod switch;
mod system;
mod turns;
mod usage;
mod watch;
mod work;
mod workers;
