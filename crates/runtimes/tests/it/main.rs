//! Archives, the content store, environments, resolution, and the packs that this repository ships, with the machine's interpreters.

#![expect(clippy::unwrap_used, reason = "what a test can not set up should end it")]

mod archive;
mod content;
mod environments;
mod host;
mod interpreter;
mod language;
mod node_action;
mod node_modules;
mod node_output;
mod node_sensor;
mod packs;
mod pool;
mod program;
mod python_action;
mod python_sensor;
mod resolve;
mod shell_params;
mod stream;
mod talk;
