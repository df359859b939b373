//! The one binary of Attune: `attune up` runs everything, the other commands speak to the API of one that runs.
//!
//! Data goes to stdout, everything else to stderr. Nothing is decided here: commands call the API, or the same functions
//! that the services call.

mod arguments;
mod client;
mod commands;
mod failure;
mod listener;
mod output;
mod run_context;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    commands::completion::answer();
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}
