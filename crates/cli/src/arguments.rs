//! What can be typed. Help texts teach: the first line says what the command does, examples show how.

use std::path::PathBuf;

use attune_common::config::Config;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    action, canary, completion, config, db, demo, doctor, event, execution, noun, pack, reference, rule,
    runtime, sensor, thing, up,
};

/// Event-driven automation: sensors see, rules decide, workers act.
#[derive(Debug, Parser)]
#[command(name = "attune", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  attune up --packs packs/demo            everything on this machine, with its own PostgreSQL
  attune execution list --where status=failed
  attune event send demo.note --payload '{\"text\": \"hello\"}'
  attune execution logs 42

Exit codes: 0 done, 1 failed, 2 wrong call or configuration, 3 no such thing,
4 another process runs this worker, 5 the API does not answer, 6 refused as invalid";

/// Where things are, and how answers look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Configuration file; without it ATTUNE_CONFIG, then config.yaml in the working directory
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Data directory of the `attune up` to speak to (address and token are found there)
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address of the API; without it the one in the data directory
    #[arg(long, value_name = "URL", env = "ATTUNE_API_URL", hide_env_values = true, global = true)]
    pub(crate) api_url: Option<String>,
    /// How answers look; JSON has everything, and lists in it are arrays of objects named as the columns
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table, global = true)]
    pub(crate) output: Format,
}

impl Global {
    /// The configuration, with what was typed on top.
    pub(crate) fn configuration(&self) -> anyhow::Result<Config> {
        let mut config = Config::load_from(self.config.as_deref())?;
        if let Some(directory) = &self.data_dir {
            config.move_data_to(std::path::absolute(directory)?);
        }
        Ok(config)
    }
}

/// How answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process, with a private PostgreSQL unless DATABASE_URL names one
    Up(up::Arguments),
    /// See it all at work for some seconds, on a temporary directory, with sensors in three languages
    Demo(demo::Arguments),
    /// The database: bring its schema up to date, print its address, start it alone, open psql on it
    #[command(subcommand)]
    Db(db::Command),
    /// The configuration: what is in force, and what is wrong with it
    #[command(subcommand)]
    Config(config::Command),
    /// Find what is wrong with this installation, and how to mend it; changes nothing
    #[command(after_help = doctor::EXIT_CODES)]
    Doctor,
    /// Send a marked event the whole way, from a sensor to an action, and measure each arrow
    Canary(canary::Arguments),
    /// Packs: validate, test, compare, load, switch on and off
    #[command(subcommand)]
    Pack(pack::Command),
    /// Registered service instances
    #[command(subcommand)]
    Worker(noun::Command),
    /// Languages: who has them, and whether this machine does
    #[command(subcommand)]
    Runtime(runtime::Command),
    /// Types of events
    #[command(subcommand)]
    Trigger(thing::Command),
    /// What fires because it is time: when next, what was missed, and which rules ask for it
    #[command(subcommand)]
    Timer(noun::Command),
    /// What watches the world, and how it fares; begin a new one, or try one here
    #[command(subcommand)]
    Sensor(sensor::Command),
    /// Which events lead to which actions; try one on an event
    #[command(subcommand)]
    Rule(rule::Command),
    /// What can be done; run one by hand
    #[command(subcommand)]
    Action(action::Command),
    /// What happened; send one by hand
    #[command(subcommand)]
    Event(event::Command),
    /// Which rule fired for which event
    #[command(subcommand)]
    Enforcement(noun::Command),
    /// Runs of actions, their results and logs; cancel them, run them again
    #[command(subcommand)]
    Execution(execution::Command),
    /// Complete commands, options and names in your shell
    #[command(subcommand)]
    Completion(completion::Command),
    /// Print a page of the documentation that comes from the code
    #[command(subcommand, hide = true)]
    Reference(reference::Command),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn with_all_below(command: clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().cloned().flat_map(with_all_below).collect::<Vec<_>>();
        [vec![command], below].concat()
    }

    #[test]
    fn the_commands_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_argument_says_what_it_does() {
        for command in with_all_below(Arguments::command()) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no help");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {argument} has no help");
            }
        }
    }
}
