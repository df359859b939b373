//! `attune canary`: a marked event goes the whole way, from a sensor to an action that does nothing, and each arrow is measured.
//!
//! Monitoring programs call it: the first line says it all, and the exit code is 0 or 1.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use attune_core::sensor_status::CANARY;
use chrono::DateTime;
use clap::Args;
use serde_json::{Value, json};

use super::noun::path_segment;
use crate::arguments::{Format, Global};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{self, Column};

/// Between two looks, at most.
const PAUSE: Duration = Duration::from_millis(250);
const ARROWS: &[Column] = &[("ARROW", "arrow"), ("TO", "to"), ("MS", "ms")];

/// Through which sensor.
#[derive(Debug, Args)]
#[command(after_help = "\
Without REF it goes through core.canary, a sensor that sees nothing and is enabled when it is first needed; it ticks
once an hour by itself. A sensor's setting `canary: 5m` sends one each five minutes, and a missing one is an alarm.

The first line says how it went. Exit codes: 0 it came through, 1 it did not: the line says where it is stuck.")]
pub(crate) struct Arguments {
    /// The sensor that it goes through
    #[arg(value_name = "REF", default_value = CANARY)]
    name: String,
    /// Seconds until it has to be through
    #[arg(long, value_name = "S", default_value_t = 30)]
    timeout: u32,
}

/// What came of it.
struct Outcome {
    /// Why it did not come through, if so.
    stuck: Option<String>,
    /// The canary, as the API tells it.
    canary: Value,
    /// When somebody asked for it.
    asked: Value,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let client = Client::new(global)?;
    let name = &arguments.name;
    let outcome = match send(&client, name) {
        Ok((poke, before)) => follow(&client, arguments, poke, before)?,
        Err(error) => match error.downcast::<Failure>()? {
            Failure::Refused(why) => Outcome { stuck: Some(why), canary: Value::Null, asked: Value::Null },
            failure => return Err(failure.into()),
        },
    };
    let arrows = arrows(&outcome);
    let line = summary(name, &outcome, &arrows);
    match global.output {
        Format::Json => output::json(&json!({
            "sensor": name, "arrived": outcome.stuck.is_none(), "summary": line, "stuck": outcome.stuck,
            "arrows": arrows, "canary": outcome.canary,
        }))?,
        Format::Table if arrows.is_empty() => output::text(&line)?,
        Format::Table => output::text(&format!("{line}\n\n{}", output::table(ARROWS, &arrows)))?,
    }
    Ok(if outcome.stuck.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Has the sensor send one. Returns the number of the wish, and the event of the canary before.
fn send(client: &Client, name: &str) -> anyhow::Result<(Option<i64>, Option<i64>)> {
    let path = path(name);
    let before = client.get(&format!("{path}/canary"), &[])?["event"].as_i64();
    if name == CANARY && client.get(&path, &[])?["enabled"] == false {
        client.patch(&path, &json!({"enabled": true}))?;
    }
    let poked = client.post(&format!("{path}/poke"), &json!({"canary": true}))?;
    Ok((poked["poke"].as_i64(), before))
}

fn follow(
    client: &Client,
    arguments: &Arguments,
    poke: Option<i64>,
    before: Option<i64>,
) -> anyhow::Result<Outcome> {
    let deadline = Instant::now() + Duration::from_secs(arguments.timeout.into());
    let (path, mut pause) = (path(&arguments.name), Duration::from_millis(10));
    loop {
        // In this order: once it was polled, its event is in.
        let sensor = client.get(&path, &[])?;
        let canary = client.get(&format!("{path}/canary"), &[])?;
        let is_seen = canary["event"].as_i64() > before;
        let is_over = is_seen && (canary["execution"].is_null() || !canary["finished"].is_null());
        let is_polled = sensor["pokes"].as_i64() >= poke;
        let failed = sensor["poke_outcome"]["error"].as_str().filter(|_| is_polled && !is_seen);
        if !is_over && (is_seen || !is_polled) && Instant::now() < deadline {
            std::thread::sleep(pause);
            pause = (pause * 3 / 2).min(PAUSE);
            continue;
        }
        let stuck = match failed {
            Some(error) => Some(format!("it failed: {error}")),
            None if is_seen => canary["stuck"].as_str().map(str::to_owned),
            None => Some(not_seen(&sensor, &canary, is_polled)),
        };
        let canary = if is_seen { canary } else { Value::Null };
        return Ok(Outcome { stuck, canary, asked: sensor["poked_at"].clone() });
    }
}

fn path(name: &str) -> String {
    format!("/api/sensors/{}", path_segment(name))
}

/// Why there is no event.
fn not_seen(sensor: &Value, canary: &Value, is_polled: bool) -> String {
    if is_polled {
        return canary["stuck"].as_str().unwrap_or("it was sent, and no event came of it").to_owned();
    }
    let status = sensor["status"].as_str().unwrap_or_default();
    let reason = sensor["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("the sensor has sent none yet; it is {status}{reason}")
}

fn summary(name: &str, outcome: &Outcome, arrows: &[Value]) -> String {
    if let Some(stuck) = &outcome.stuck {
        return format!("CRITICAL: the canary of {name} did not come through: {stuck}");
    }
    let total = arrows.last().map_or(&Value::Null, |total| &total["ms"]);
    format!("OK: the canary of {name} came through in {total} ms")
}

/// The arrows that it came along, with their times.
fn arrows(outcome: &Outcome) -> Vec<Value> {
    let canary = &outcome.canary;
    let arrow = |arrow: &str, to: String, from: &Value, until: &Value| {
        Some(json!({"arrow": arrow, "to": to, "ms": between(from, until)?}))
    };
    let [event, enforcement, execution] =
        ["event", "enforcement", "execution"].map(|what| format!("{what} {}", canary[what]));
    let followed = !canary["enforcement"].is_null();
    [
        arrow("sensor", event, &outcome.asked, &canary["seen"]),
        // It goes in by the statement of its event.
        followed.then(|| json!({"arrow": "rule", "to": enforcement, "ms": 0})),
        arrow("worker", execution, &canary["seen"], &canary["started"]),
        arrow("action", "its end".to_owned(), &canary["started"], &canary["finished"]),
        arrow("total", String::new(), &outcome.asked, &canary["finished"]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Clocks of several processes may differ by a moment: less than nothing is nothing.
fn between(from: &Value, until: &Value) -> Option<i64> {
    let time = |time: &Value| DateTime::parse_from_rfc3339(time.as_str()?).ok();
    Some((time(until)? - time(from)?).num_milliseconds().max(0))
}
