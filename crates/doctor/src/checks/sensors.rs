//! Enabled sensors that do not do their work, and why.

use attune_common::repositories::listing::{self, Filter, Noun};
use attune_common::repositories::worker;
use serde_json::Value;
use sqlx::PgPool;

use crate::finding::{Finding, first_few};
use crate::installation::Installation;

/// Nobody reads more.
const MOST: i64 = 10_000;

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    read(pool).await.unwrap_or_else(|error| vec![Finding::unread("the sensors", &error)])
}

async fn read(pool: &PgPool) -> sqlx::Result<Vec<Finding>> {
    let enabled =
        Filter { equals: vec![("enabled".to_owned(), "true".to_owned())], limit: MOST, ..Filter::default() };
    let sensors = listing::list(pool, Noun::Sensor, &enabled, usize::MAX).await?.rows;
    // What they said last is old news when nobody runs them.
    if worker::live_sensor_workers(pool).await?.is_empty() {
        return Ok(vec![idle(sensors.len())]);
    }
    Ok(judge(&sensors))
}

fn idle(enabled: usize) -> Finding {
    match enabled {
        0 => Finding::ok("none is enabled"),
        _ => Finding::warning(
            format!("{enabled} enabled, and no live worker runs sensors"),
            "start one: `attune up`, or attune-sensor",
        ),
    }
}

fn judge(sensors: &[Value]) -> Vec<Finding> {
    let unschedulable = with_status(sensors, "unschedulable", "reason");
    let failing = with_status(sensors, "failing", "last_error");
    let mut findings = Vec::new();
    if !unschedulable.is_empty() {
        let mend = "let a worker have the runtime (see runtimes), or: attune sensor list --where status=unschedulable";
        findings.push(Finding::problem(format!("no worker can run {}", first_few(&unschedulable)), mend));
    }
    if !failing.is_empty() {
        let mend = "attune sensor show REF has the whole error and the time of the next try";
        findings.push(Finding::problem(format!("failing: {}", first_few(&failing)), mend));
    }
    for status in ["stuck", "silent", "paused"] {
        let such = with_status(sensors, status, "reason");
        if !such.is_empty() {
            let mend = "attune sensor show REF has its clocks and its last ticks";
            findings.push(Finding::problem(format!("{status}: {}", first_few(&such)), mend));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(format!("{} enabled, all of them run", sensors.len())));
    }
    findings
}

/// `ref (reason)` of those that have this status; of a long reason the last line, where programs say what it was.
fn with_status(sensors: &[Value], status: &str, reason: &str) -> Vec<String> {
    let of = |sensor: &Value| {
        let reason = sensor[reason].as_str().and_then(|text| text.lines().last());
        format!("{} ({})", sensor["ref"].as_str().unwrap_or_default(), reason.unwrap_or("no reason is known"))
    };
    sensors.iter().filter(|sensor| sensor["status"] == status).map(of).collect()
}
