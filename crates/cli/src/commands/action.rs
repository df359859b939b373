//! `attune action`: run one by hand and see what comes of it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::noun::path_segment;
use super::thing;
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::failure::Failure;
use crate::output;

/// What to do with actions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one now, wait for it, print its result; exit code 1 when it does not succeed
    Run(Run),
    #[command(flatten)]
    Thing(thing::Command),
}

/// One run.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  attune action run core.run_command --param command='uname -a'")]
pub(crate) struct Run {
    /// The action's ref
    action: String,
    /// One parameter; the value is JSON where it parses as JSON, else text; may be repeated
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    param: Vec<(String, Value)>,
    /// All parameters as one JSON object
    #[arg(long, value_name = "JSON", conflicts_with = "param", value_parser = parse_object)]
    params: Option<Value>,
    /// Print the execution's id and do not wait
    #[arg(long)]
    detach: bool,
}

pub(crate) fn run(global: &Global, run: &Run) -> anyhow::Result<ExitCode> {
    let client = Client::new(global)?;
    let params =
        run.params.clone().unwrap_or_else(|| Value::Object(run.param.iter().cloned().collect::<Map<_, _>>()));
    let answer = client.post(
        &format!("/api/actions/{}/executions", path_segment(&run.action)),
        &json!({"params": params}),
    )?;
    let id = answer["id"].as_i64().ok_or_else(|| Failure::Failed("the API's answer has no id".to_owned()))?;
    if run.detach {
        output::object(global.output, &json!({"id": id}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let execution = wait(&client, id).with_context(|| {
        format!(
            "execution {id} was begun, and how it ends could not be read (see `attune execution show {id}`)"
        )
    })?;
    let succeeded = execution["status"] == "succeeded";
    match global.output {
        Format::Json => output::json(&execution)?,
        Format::Table if succeeded => show_result(&execution["result"])?,
        Format::Table => return Err(failure(&execution).into()),
    }
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks until the execution has ended, rarely when it takes long.
fn wait(client: &Client, id: i64) -> anyhow::Result<Value> {
    let mut pause = Duration::from_millis(20);
    loop {
        let execution = client.get(&format!("/api/executions/{id}"), &[])?;
        if !execution["finished"].is_null() {
            return Ok(execution);
        }
        std::thread::sleep(pause);
        pause = (pause * 3 / 2).min(Duration::from_secs(1));
    }
}

/// For people only what they asked for.
fn show_result(result: &Value) -> anyhow::Result<()> {
    match result {
        Value::String(text) => output::text(text),
        other => output::json(other),
    }
}

fn failure(execution: &Value) -> Failure {
    let text = |name: &str| execution[name].as_str().unwrap_or("for no known reason");
    Failure::Failed(format!("execution {} {}: {}", execution["id"], text("status"), text("error")))
}

fn parse_param(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("it has no `=`; write for example path=/tmp/note")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.trim().to_owned(), value))
}

/// Parses an argument that must be one JSON object.
pub(crate) fn parse_object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("a JSON object is wanted, like '{\"name\": \"value\"}'".to_owned())
    }
}
