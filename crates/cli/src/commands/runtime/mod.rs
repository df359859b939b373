//! `attune runtime`: which languages there are, which workers have them, and whether this machine does.

mod explain;
mod list;
mod rows;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use super::noun::{self, Noun};
use crate::arguments::Global;

/// What to do with runtimes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List them, with the live workers that have each, and its version there
    List(noun::List),
    /// Show one with all its fields
    Show(noun::Show),
    /// Look whether this machine has them, and explain: version, deciding command, why not, how to install
    Verify(verify::Verify),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(list) => list::run(global, list)?,
        Command::Show(show) => noun::show(global, Noun::Runtime, show)?,
        Command::Verify(verify) => return verify::run(global, verify),
    }
    Ok(ExitCode::SUCCESS)
}
