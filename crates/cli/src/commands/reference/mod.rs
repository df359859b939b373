//! `attune reference`: the pages of docs that come from the code, which `make docs` writes and a test compares.

mod page;

use attune_common::config::reference;
use clap::Subcommand;

use crate::output;

/// Which page.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// docs/configuration.md
    Configuration,
    /// docs/cli.md
    Cli,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Configuration => output::text(&reference::page()),
        Command::Cli => output::text(&page::page()),
    }
}
