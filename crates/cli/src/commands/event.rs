//! `attune event`: send one by hand.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::action::parse_object;
use super::noun::{self, Noun};
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::output;

/// What to do with events.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send an event of a trigger, as a sensor would
    Send(Send),
    #[command(flatten)]
    Read(noun::Command),
}

/// One event.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  attune event send core.webhook --payload '{\"text\": \"hello\"}'")]
pub(crate) struct Send {
    /// The trigger's ref
    trigger: String,
    /// What happened, as a JSON object
    #[arg(short, long, value_name = "JSON", default_value = "{}", value_parser = parse_object)]
    payload: Value,
    /// A second event of this key from this source is dropped and counted
    #[arg(short, long)]
    key: Option<String>,
    /// What sends it; without it `cli`, or the action whose run sends it
    #[arg(long)]
    source: Option<String>,
    /// The parameters it is made for, as a JSON object, for a trigger that has some
    #[arg(long, value_name = "JSON", value_parser = parse_object)]
    trigger_params: Option<Value>,
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Send(send) => self::send(global, send),
        Command::Read(command) => noun::run(global, Noun::Event, command),
    }
}

fn send(global: &Global, send: &Send) -> anyhow::Result<()> {
    let client = Client::of_run(global)?;
    let source = send.source.clone().or_else(|| (!client.is_of_run()).then(|| "cli".to_owned()));
    let mut body = json!({"trigger": send.trigger, "payload": send.payload});
    for (name, value) in [
        ("source", source.map(Value::String)),
        ("key", send.key.clone().map(Value::String)),
        ("trigger_params", send.trigger_params.clone()),
    ] {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let answer = client.post("/api/events", &body)?;
    match (global.output, answer["duplicate"] == true) {
        (Format::Json, _) => output::json(&answer),
        (Format::Table, true) => {
            output::text("dropped: an event of this key from this source is there already")
        }
        (Format::Table, false) => output::text(&format!("event {}: {}", answer["id"], fired(&answer))),
    }
}

/// What came of it, and where to look when a rule could not do what it says.
fn fired(answer: &Value) -> String {
    let number = |name: &str| answer[name].as_u64().unwrap_or_default();
    let (failed, rules) = (number("failed"), number("enforcements"));
    let good = match rules.saturating_sub(failed) {
        1 => "1 rule fired".to_owned(),
        good => format!("{good} rules fired"),
    };
    if failed == 0 {
        return good;
    }
    format!(
        "{good}, {failed} failed: see attune enforcement list --where status=failed --where event={}",
        answer["id"]
    )
}
