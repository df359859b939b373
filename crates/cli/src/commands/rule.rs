//! `attune rule`: which events lead to which actions, and what one makes of an event.

use std::process::ExitCode;

use clap::Subcommand;

use super::author::rule_test;
use super::noun::Noun;
use super::thing;
use crate::arguments::Global;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Would it fire for this event, and with which parameters; else why not. Nothing is written
    Test(rule_test::Test),
    #[command(flatten)]
    Thing(thing::Command),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Test(test) => return rule_test::run(global, test),
        Command::Thing(command) => thing::run(global, Noun::Rule, command)?,
    }
    Ok(ExitCode::SUCCESS)
}
