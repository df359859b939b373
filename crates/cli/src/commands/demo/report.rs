//! What the demo came to.

use std::collections::HashMap;

use attune_common::repositories::journey::{self, Fare};
use serde_json::{Map, Value, json};
use sqlx::PgPool;

use super::follow::Follower;
use super::showcase;
use crate::arguments::Format;
use crate::output::{self, Column};

const COLUMNS: &[Column] = &[
    ("SENSOR", "sensor"),
    ("POLLS", "polls"),
    ("EVENTS", "events"),
    ("ERRORS", "errors"),
    ("SUCCEEDED", "succeeded"),
    ("LAST ERROR", "last_error"),
];

/// Everything that was counted.
#[derive(Debug)]
pub(super) struct Report {
    sensors: Vec<Fare>,
    succeeded: HashMap<String, u64>,
    enforcements: i64,
    executions: Vec<(String, i64)>,
    waits: Vec<f64>,
    runs: Vec<f64>,
}

impl Report {
    /// Counts what the database holds.
    pub(super) async fn take(pool: &PgPool, follower: Follower) -> sqlx::Result<Self> {
        Ok(Self {
            sensors: journey::list_sensors(pool, showcase::REF).await?,
            enforcements: journey::count_enforcements(pool).await?,
            executions: journey::count_executions(pool).await?,
            succeeded: follower.succeeded,
            waits: follower.waits,
            runs: follower.runs,
        })
    }

    /// The sensors of which no event became a succeeded execution.
    pub(super) fn idle(&self) -> Vec<&str> {
        let is_idle = |sensor: &&Fare| self.succeeded_of(sensor) == 0;
        self.sensors.iter().filter(is_idle).map(|sensor| sensor.sensor.as_str()).collect()
    }

    /// Prints it.
    pub(super) fn print(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => output::json(&self.json()),
            Format::Table => {
                output::text("")?;
                output::list(format, COLUMNS, &self.rows())?;
                output::text(&self.stages())
            }
        }
    }

    fn succeeded_of(&self, sensor: &Fare) -> u64 {
        self.succeeded.get(&sensor.sensor).copied().unwrap_or(0)
    }

    fn json(&self) -> Value {
        let counts = |fare: &Fare| json!({"polls": fare.polls, "events": fare.events, "errors": fare.errors});
        let sensors: Map<_, _> =
            self.sensors.iter().map(|fare| (fare.sensor.clone(), counts(fare))).collect();
        let executions: Map<_, _> =
            self.executions.iter().map(|(state, count)| (state.clone(), json!(count))).collect();
        json!({"sensors": sensors, "enforcements": self.enforcements, "executions": executions})
    }

    fn rows(&self) -> Value {
        let row = |fare: &Fare| {
            json!({"sensor": fare.sensor, "polls": fare.polls, "events": fare.events, "errors": fare.errors,
                "succeeded": self.succeeded_of(fare), "last_error": fare.last_error})
        };
        self.sensors.iter().map(row).collect()
    }

    fn stages(&self) -> String {
        let events: i64 = self.sensors.iter().map(|fare| fare.events).sum();
        let executions: Vec<_> =
            self.executions.iter().map(|(state, count)| format!("{count} {state}")).collect();
        format!(
            "\n{events} events -> {} enforcements -> executions: {}\n{}\n{}",
            self.enforcements,
            executions.join(", "),
            spread("from the event to the start of its action", &self.waits),
            spread("the action itself", &self.runs)
        )
    }
}

/// The middle and the largest of some times, in milliseconds.
fn spread(what: &str, times: &[f64]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(middle), Some(largest)) => {
            format!("{what}: {middle:.1} ms in the middle, {largest:.1} ms at most")
        }
        _ => format!("{what}: never seen"),
    }
}
