//! Timers: which instants they have, and what becomes of the missed ones.

mod faults;
mod instants;
mod missed;

use attune_core::schedule::{Fault, Timer};
use chrono::{DateTime, Utc};
use serde_json::Value;

fn at(text: &str) -> DateTime<Utc> {
    let text = if text.len() == 17 { text.replace('Z', ":00Z") } else { text.to_owned() };
    DateTime::parse_from_rfc3339(&text).unwrap().with_timezone(&Utc)
}

fn read(trigger: &str, params: &Value) -> Result<Timer, Fault> {
    Timer::read(trigger, params).unwrap()
}

fn interval(params: &Value) -> Timer {
    read("core.interval_timer", params).unwrap()
}

fn cron(params: &Value) -> Timer {
    read("core.cron_timer", params).unwrap()
}

fn date(params: &Value) -> Timer {
    read("core.date_timer", params).unwrap()
}
