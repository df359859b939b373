//! What triggers, sensors, actions and rules have in common: applied from a file, switched, listed and shown.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::changes;
use super::input;
use super::noun::{self, Noun};
use super::switch;
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::output;

/// What to do with things that a file can define.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create or change some from a file, all of them or, with the reason, none
    Apply(Apply),
    #[command(flatten)]
    Switch(switch::Command),
    #[command(flatten)]
    Read(noun::Command),
}

/// From where.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds the same YAML as a file of a pack; several documents are separated by lines of ---.
A document says the whole thing: what it leaves out becomes the default, except for `enabled`, which
stays as it is. What is applied is an operator's change and wins over later loads of the pack.

Example:
  attune rule apply -f - <<'END'
  ref: my.note_load
  trigger: demo.load
  action: core.run_command
  action_params: {command: \"logger load is {{ event.payload.load }}\"}
  END")]
pub(crate) struct Apply {
    /// The file; - reads standard input
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: String,
}

pub(crate) fn run(global: &Global, noun: Noun, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Apply(apply) => self::apply(global, noun, apply),
        Command::Switch(command) => switch::run(global, noun, command),
        Command::Read(command) => noun::run(global, noun, command),
    }
}

fn apply(global: &Global, noun: Noun, apply: &Apply) -> anyhow::Result<()> {
    let text = input::text(&apply.file)?;
    let client = Client::new(global)?;
    let applied =
        client.put(&format!("/api/{}s", noun.name()), &json!({"file": apply.file, "text": text}))?;
    match global.output {
        Format::Json => output::json(&applied),
        Format::Table => output::text(&summary(noun, &applied)),
    }
}

fn summary(noun: Noun, applied: &Value) -> String {
    let mut lines = Vec::new();
    for thing in applied.as_array().into_iter().flatten() {
        let text = |name: &str| thing[name].as_str().unwrap_or_default();
        lines.push(format!("{} {} {}", noun.name(), text("ref"), text("outcome")));
        for change in thing["changes"].as_array().into_iter().flatten() {
            lines.extend(changes::lines(
                change["field"].as_str().unwrap_or_default(),
                &change["old"],
                &change["new"],
            ));
        }
    }
    lines.join("\n")
}
