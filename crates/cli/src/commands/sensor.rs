//! `attune sensor`: what watches the world; begin one, try one.

use std::process::ExitCode;

use clap::Subcommand;

use super::author::{sensor_conform, sensor_new, sensor_test};
use super::noun::{self, Noun};
use super::{sensor_order, sensor_show, switch, thing};
use crate::arguments::Global;

/// What to do with sensors.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a new pack with a working sensor, trigger, rule, action and tests
    New(sensor_new::New),
    /// Run one once, here, without a database, and show what comes of it
    Test(sensor_test::Test),
    /// Hold a streaming sensor, or a warm host, against the protocol
    Conform(sensor_conform::Conform),
    /// Do not poll them until they are resumed
    Pause(sensor_order::Pause),
    /// Poll them again
    Resume(switch::Refs),
    /// Poll them now, and say what came of it
    Poke(sensor_order::Poke),
    #[command(flatten)]
    Thing(thing::Command),
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New(new) => sensor_new::run(global, new)?,
        Command::Test(test) => return sensor_test::run(global, test),
        Command::Conform(conform) => return sensor_conform::run(global, conform),
        Command::Pause(pause) => sensor_order::pause(global, pause)?,
        Command::Resume(refs) => sensor_order::resume(global, refs)?,
        Command::Poke(poke) => sensor_order::poke(global, poke)?,
        Command::Thing(thing::Command::Read(noun::Command::Show(show))) => sensor_show::run(global, show)?,
        Command::Thing(command) => thing::run(global, Noun::Sensor, command)?,
    }
    Ok(ExitCode::SUCCESS)
}
