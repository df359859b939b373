//! `attune execution`: what ran, and what it said.

use clap::Subcommand;

use super::noun::{self, Noun};
use crate::arguments::Global;
use crate::client::Client;
use crate::output;

/// What to do with executions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what an execution wrote to stderr, as it came
    Logs {
        /// The execution's id
        id: i64,
    },
    #[command(flatten)]
    Read(noun::Command),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Logs { id } => {
            output::bytes(&Client::new(global)?.get_bytes(&format!("/api/executions/{id}/logs"))?)
        }
        Command::Read(command) => noun::run(global, Noun::Execution, command),
    }
}
