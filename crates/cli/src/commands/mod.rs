//! One file per command group: its arguments, and what it does.

pub(crate) mod action;
mod author;
pub(crate) mod canary;
mod cancel_where;
mod changes;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
mod each;
pub(crate) mod event;
pub(crate) mod execution;
mod input;
pub(crate) mod noun;
pub(crate) mod pack;
mod private_db;
mod psql;
pub(crate) mod reference;
mod report;
pub(crate) mod rule;
pub(crate) mod runtime;
pub(crate) mod sensor;
mod sensor_order;
mod sensor_show;
pub(crate) mod switch;
mod system;
pub(crate) mod thing;
pub(crate) mod up;
mod used;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command};
use noun::Noun;

/// Does what was typed.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let global = &arguments.global;
    match arguments.command {
        Command::Up(up) => return up::run(global, up),
        Command::Demo(demo) => return demo::run(global, &demo),
        Command::Action(action::Command::Run(run)) => return action::run(global, &run),
        Command::Runtime(command) => return runtime::run(global, &command),
        Command::Doctor => return doctor::run(global),
        Command::Canary(canary) => return canary::run(global, &canary),
        Command::Config(command) => config::run(global, command)?,
        Command::Pack(command) => return pack::run(global, &command),
        Command::Sensor(command) => return sensor::run(global, &command),
        Command::Rule(command) => return rule::run(global, &command),
        Command::Db(command) => db::run(global, command)?,
        Command::Worker(command) => noun::run(global, Noun::Worker, &command)?,
        Command::Timer(command) => noun::run(global, Noun::Timer, &command)?,
        Command::Trigger(command) => thing::run(global, Noun::Trigger, &command)?,
        Command::Action(action::Command::Thing(thing::Command::Read(noun::Command::Show(show)))) => {
            used::show_action(global, &show)?;
        }
        Command::Action(action::Command::Thing(command)) => thing::run(global, Noun::Action, &command)?,
        Command::Event(command) => event::run(global, &command)?,
        Command::Enforcement(command) => noun::run(global, Noun::Enforcement, &command)?,
        Command::Execution(command) => execution::run(global, &command)?,
        Command::Completion(command) => completion::run(command)?,
        Command::Reference(command) => reference::run(command)?,
    }
    Ok(ExitCode::SUCCESS)
}
