//! `attune rule test`: a rule on an event, without anything being written.

use std::path::Path;
use std::process::ExitCode;

use attune_core::pack::Kind;
use attune_executor::rules::trial::Report;
use attune_executor::unloaded::{Library, UnloadedError, rule_on_trial};
use attune_runtimes::pack_directory::PackDirectory;
use chrono::Utc;
use clap::Args;
use serde_json::{Value, json};

use super::running::{Api, dynamic};
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::commands::input;
use crate::commands::noun::path_segment;
use crate::failure::Failure;
use crate::output::{self, Column, printable};

/// Which rule, and on what.
#[derive(Debug, Args)]
#[command(after_help = "\
An event is {\"trigger\": ..., \"payload\": {...}, ...}, as `attune event show ID -o json` prints it. Any other object is taken for
the payload of an event that is made for this rule.

Exit code 0 when it fires (with --last: for one of the events), 1 when it does not, 6 when the rule or the event is invalid.

Examples:
  attune rule test packs/demo/rules/journal_disk.yaml --event event.json
  attune event show 7 -o json | attune rule test demo.journal_disk --event -
  attune rule test demo.journal_disk --last 20")]
pub(crate) struct Test {
    /// The rule's YAML file in a pack directory, or its ref in the running Attune
    #[arg(value_name = "FILE|REF")]
    rule: String,
    /// The event as JSON; - reads it from standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, required_unless_present = "last", conflicts_with = "last")]
    event: Option<String>,
    /// Try it on the newest N events of its trigger that are stored
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=1000))]
    last: Option<i64>,
}

const HISTORY: &[Column] =
    &[("EVENT", "event"), ("CREATED", "created"), ("FIRES", "fires"), ("WHY NOT", "reason")];

pub(crate) fn run(global: &Global, test: &Test) -> anyhow::Result<ExitCode> {
    let is_file = super::is_file(&test.rule);
    let (answer, fires) = match (&test.event, test.last) {
        (Some(event), _) => {
            let event = read_event(event)?;
            let answer = if is_file {
                try_file(global, &test.rule, event)?
            } else {
                try_ref(global, &test.rule, &json!({"event": event}))?
            };
            let fires = answer["fires"] == true;
            (answer, fires)
        }
        (None, Some(_)) if is_file => {
            return Err(Failure::Usage(
                "--last asks the running Attune, which knows rules by ref".to_owned(),
            )
            .into());
        }
        (None, last) => {
            let answer = try_ref(global, &test.rule, &json!({"last": last}))?;
            let fires = answer["fires"] != 0;
            (answer, fires)
        }
    };
    match global.output {
        Format::Json => output::json(&answer)?,
        Format::Table if answer["events"].is_array() => show_history(&answer)?,
        Format::Table => output::text(&one(&answer))?,
    }
    Ok(if fires { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_event(path: &str) -> anyhow::Result<Value> {
    let text = input::text(path).map_err(|failure| match failure {
        Failure::NotFound(message) => {
            Failure::NotFound(format!("{message}; give a file, or - for standard input"))
        }
        failure => failure,
    })?;
    let no_json = |error| Failure::Refused(format!("the event in {path} is no JSON: {error}"));
    Ok(serde_json::from_str(&text).map_err(no_json)?)
}

fn try_ref(global: &Global, name: &str, question: &Value) -> anyhow::Result<Value> {
    Client::new(global)?.post(&format!("/api/rules/{}/test", path_segment(name)), question)
}

fn try_file(global: &Global, path: &str, event: Value) -> anyhow::Result<Value> {
    let path = Path::new(path);
    if !path.is_file() {
        return Err(Failure::NotFound(format!("there is no file {}", path.display())).into());
    }
    let no_pack =
        || Failure::Refused(format!("{} lies in no pack: there is no pack.yaml above it", path.display()));
    let own = super::read(&PackDirectory::root_of(path).ok_or_else(no_pack)?)?;
    let name = own.path_of(path).and_then(|file| match own.pack.defined_in(&file) {
        Some((Kind::Rule, name)) => Some(name.to_owned()),
        _ => None,
    });
    let rule = name.and_then(|name| own.pack.rules.iter().find(|rule| rule.r#ref == name));
    let rule = rule.ok_or_else(|| Failure::Refused(format!("{} defines no rule", path.display())))?;
    let api = Api::find(global)?;
    let library = Library::new(Some(&own), dynamic(api.as_ref()))?;
    let on_trial = rule_on_trial(&own.pack, rule, &library).map_err(|error| match error {
        UnloadedError::Fault(fault) => Failure::Refused(fault.to_string()).into(),
        UnloadedError::Lookup(_) => anyhow::Error::from(error),
    })?;
    let report: Report = on_trial.try_given(event, Utc::now()).map_err(Failure::Refused)?;
    Ok(serde_json::to_value(report)?)
}

fn one(answer: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    let mut lines = Vec::new();
    if answer["fires"] == true {
        lines.push(format!("{} fires", text(&answer["rule"])));
        lines.push(format!("  action: {}", text(&answer["action"])));
        lines.push(format!("  params: {}", printable(&answer["params"].to_string())));
    } else {
        lines.push(format!("{} does not fire", text(&answer["rule"])));
        lines.push(format!("  {}{}", place(answer), text(&answer["reason"])));
    }
    lines.extend(notes(answer));
    lines.join("\n")
}

/// Where the condition stands that is to blame.
fn place(answer: &Value) -> String {
    let Some(at) = answer["condition"]["at"].as_str() else { return String::new() };
    let dot = if at.starts_with('[') || at.is_empty() { "" } else { "." };
    format!("conditions{dot}{at}: ")
}

fn notes(answer: &Value) -> impl Iterator<Item = String> + '_ {
    let notes = answer["notes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    notes.map(|note| format!("  note: {}", printable(note)))
}

fn show_history(answer: &Value) -> anyhow::Result<()> {
    let events = answer["events"].as_array().map_or(0, Vec::len);
    output::list(Format::Table, HISTORY, &answer["events"])?;
    let (rule, fires) = (answer["rule"].as_str().unwrap_or_default(), &answer["fires"]);
    let summary = format!("{rule} fires for {fires} of {events} events");
    output::text(&std::iter::once(summary).chain(notes(answer)).collect::<Vec<_>>().join("\n"))
}
