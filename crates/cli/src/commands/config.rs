//! `attune config`: what is in force on this machine, and what is wrong with a file.

use std::path::PathBuf;

use attune_common::config::{Config, ConfigError, Sources, Survey};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::arguments::{Format, Global};
use crate::output::{self, Column};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print every key, its value, and who said so; passwords are left out
    Show,
    /// Look for faults in a file; without one in what a start from here would read
    Check {
        /// The configuration file
        file: Option<PathBuf>,
    },
}

const COLUMNS: &[Column] = &[("KEY", "key"), ("VALUE", "value"), ("FROM", "origin")];

pub(crate) fn run(global: &Global, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show => show(global.output, survey(global, None)?),
        Command::Check { file } => check(global.output, &survey(global, file)?),
    }
}

/// What the walk over the configuration saw, when it saw no fault.
fn survey(global: &Global, file: Option<PathBuf>) -> Result<Survey, ConfigError> {
    let file = file.or_else(|| global.config.clone());
    let (_, survey) = Config::survey(&Sources::of_process(file.as_deref()));
    if survey.faults.is_empty() { Ok(survey) } else { Err(ConfigError { faults: survey.faults }) }
}

fn show(format: Format, survey: Survey) -> anyhow::Result<()> {
    let mut rows = serde_json::to_value(survey.settings)?;
    if format == Format::Table {
        for row in rows.as_array_mut().into_iter().flatten().filter(|row| row["origin"].is_null()) {
            row["origin"] = Value::from("default");
        }
    }
    output::list(format, COLUMNS, &rows)
}

fn check(format: Format, survey: &Survey) -> anyhow::Result<()> {
    match (format, &survey.file) {
        (Format::Json, file) => output::json(&json!({"file": file, "valid": true})),
        (Format::Table, Some(file)) => {
            output::text(&format!("{} and the environment are valid", file.display()))
        }
        (Format::Table, None) => output::text("there is no file; the environment is valid"),
    }
}
