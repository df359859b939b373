//! `attune rule`: which events lead to which actions.

use clap::Subcommand;

use super::noun::Noun;
use super::thing;
use crate::arguments::Global;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Thing(thing::Command),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Thing(command) => thing::run(global, Noun::Rule, command),
    }
}
