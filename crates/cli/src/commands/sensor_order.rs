//! `attune sensor pause|resume|poke`: not polled for now, polled again, polled now.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::each::each;
use super::noun::path_segment;
use super::switch::Refs;
use crate::arguments::Global;
use crate::client::Client;
use crate::failure::Failure;

/// Between two looks whether the poll is over, at most.
const PAUSE: Duration = Duration::from_millis(500);

/// Which, and why.
#[derive(Debug, Args)]
#[command(after_help = "\
A paused sensor keeps what it remembers, misses no tick, and stays paused until it is resumed; loading its pack
does not resume it.

Example:
  attune sensor pause shop.orders --reason 'the shop moves house'")]
pub(crate) struct Pause {
    #[command(flatten)]
    refs: Refs,
    /// Why; it stands in `attune sensor list` and in the event `core.sensor_state`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Which, and how long to wait.
#[derive(Debug, Args)]
#[command(after_help = "\
A sensor that failed and waits for its next try is tried at once. The ticks that follow stay where they are.
The exit code is 1 when a poll failed or was not over in time, 6 when nobody would poll the sensor.

Example:
  attune sensor poke shop.orders")]
pub(crate) struct Poke {
    #[command(flatten)]
    refs: Refs,
    /// Do not wait for the poll
    #[arg(long)]
    no_wait: bool,
    /// Seconds to wait for it
    #[arg(long, value_name = "S", default_value_t = 60, conflicts_with = "no_wait")]
    timeout: u32,
}

pub(crate) fn pause(global: &Global, pause: &Pause) -> anyhow::Result<()> {
    let body = pause.reason.as_ref().map_or_else(|| json!({}), |reason| json!({"reason": reason}));
    order(global, &pause.refs, "pause", &body)
}

pub(crate) fn resume(global: &Global, refs: &Refs) -> anyhow::Result<()> {
    order(global, refs, "resume", &json!({}))
}

fn order(global: &Global, refs: &Refs, order: &str, body: &Value) -> anyhow::Result<()> {
    let client = Client::new(global)?;
    each(global, refs.names(), |name| client.post(&path(name, order), body), paused_line)
}

fn path(name: &str, order: &str) -> String {
    format!("/api/sensors/{}/{order}", path_segment(name))
}

fn paused_line(answer: &Value) -> String {
    let name = answer["ref"].as_str().unwrap_or_default();
    let already = if answer["changed"] == true { "" } else { " already" };
    match (answer["paused"] == true, answer["reason"].as_str()) {
        (true, Some(reason)) => format!("sensor {name} is paused{already}: {reason}"),
        (true, None) => format!("sensor {name} is paused{already}"),
        (false, _) if already.is_empty() => format!("sensor {name} is polled again"),
        (false, _) => format!("sensor {name} was not paused"),
    }
}

pub(crate) fn poke(global: &Global, poke: &Poke) -> anyhow::Result<()> {
    let client = Client::new(global)?;
    let order = |name: &String| {
        let poked = client.post(&path(name, "poke"), &json!({}))?;
        if poke.no_wait || poked["mode"] == "stream" {
            Ok(poked)
        } else {
            wait(&client, name, &poked, poke.timeout)
        }
    };
    each(global, poke.refs.names(), order, poked_line)
}

/// Asks until the poll is over.
fn wait(client: &Client, name: &str, poked: &Value, seconds: u32) -> anyhow::Result<Value> {
    let (begun, patience) = (Instant::now(), Duration::from_secs(seconds.into()));
    let (wish, mut pause) = (poked["poke"].as_i64(), Duration::from_millis(10));
    loop {
        let sensor = client.get(&format!("/api/sensors/{}", path_segment(name)), &[])?;
        if sensor["pokes"].as_i64() >= wish {
            return outcome(name, &sensor["poke_outcome"]);
        }
        if begun.elapsed() >= patience {
            let text = |field: &str| sensor[field].as_str().unwrap_or_default().to_owned();
            let why = [text("status"), text("reason")].join(": ");
            let why = why.trim_end_matches(": ");
            return Err(Failure::Failed(format!(
                "sensor {name} was not polled within {seconds} s; it is {why}"
            ))
            .into());
        }
        std::thread::sleep(pause);
        pause = (pause * 3 / 2).min(PAUSE);
    }
}

fn outcome(name: &str, outcome: &Value) -> anyhow::Result<Value> {
    if let Some(error) = outcome["error"].as_str() {
        let took = &outcome["took_ms"];
        return Err(Failure::Failed(format!("sensor {name} failed after {took} ms: {error}")).into());
    }
    let mut outcome = outcome.clone();
    outcome["ref"] = name.into();
    Ok(outcome)
}

fn poked_line(answer: &Value) -> String {
    let name = answer["ref"].as_str().unwrap_or_default();
    match answer["events"].as_u64() {
        Some(events) => {
            let s = if events == 1 { "" } else { "s" };
            format!("sensor {name} was polled: {events} event{s} in {} ms", answer["took_ms"])
        }
        None if answer["mode"] == "stream" => format!("sensor {name} is started again"),
        None => format!("sensor {name} is polled now"),
    }
}
