//! The binary as a person uses it: started, asked, stopped, killed.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

mod canary;
mod chain;
mod commands;
mod completion;
mod config;
mod console;
mod database;
mod db;
mod demo;
mod docs;
mod doctor;
mod eventually;
mod examples;
mod failures;
mod fuse;
mod help;
mod home;
mod hostile;
mod laboratory;
mod life;
mod logs;
mod long_lists;
mod loops;
mod mistakes;
mod operate;
mod outage;
mod pack;
mod packs;
mod recovery;
mod requests;
mod rule_test;
mod runtimes;
mod safe;
mod sensor_conform;
mod sensor_new;
mod sensor_orders;
mod sensor_test;
mod servers;
mod terminal;
mod timers;
mod tutorial;
mod up;
