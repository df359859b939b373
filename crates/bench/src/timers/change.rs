//! One rule among so many is changed: until its timer has followed, and what an event waits that comes at that moment.

use std::time::{Duration, Instant};

use attune_executor::ingest::{NewEvent, Origin, Submission};
use serde_json::json;

use super::{PATIENCE, System};
use crate::summary::Summary;

/// How often each change is made, each to another rule.
const CHANGES: i64 = 20;
/// No rule is on this trigger.
const TRIGGER: &str = "bench.nothing";

/// Switches rules off, then deletes some.
pub(super) async fn run(system: &System) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO trigger (ref) VALUES ($1)").bind(TRIGGER).execute(&system.pool).await?;
    for (change, sql) in [
        ("switched off", "UPDATE rule SET enabled = FALSE WHERE id = $1"),
        ("deleted", "DELETE FROM rule WHERE id = $1"),
    ] {
        let (mut timers, mut events) = (Summary::new()?, Summary::new()?);
        for _ in 0..CHANGES {
            let (timer, event) = one(system, sql).await?;
            timers.record(timer)?;
            events.record(event)?;
        }
        println!("a rule was {change}; until its timer was retired: {}", timers.line());
        println!("an event that came at that moment took: {}", events.line());
    }
    Ok(())
}

/// Changes the last of the rules that are on.
async fn one(system: &System, sql: &'static str) -> anyhow::Result<(Duration, Duration)> {
    let (rule, timer): (i64, i64) = sqlx::query_as(
        "SELECT r.id, t.id FROM rule r JOIN timer t ON t.live AND t.params @> r.trigger_params
         WHERE r.id = (SELECT max(id) FROM rule WHERE enabled)",
    )
    .fetch_one(&system.pool)
    .await?;
    let start = Instant::now();
    sqlx::query(sql).bind(rule).execute(&system.pool).await?;
    let (timer, event) = tokio::join!(until_retired(system, timer, start), event(system));
    Ok((timer?, event?))
}

async fn until_retired(system: &System, timer: i64, start: Instant) -> anyhow::Result<Duration> {
    let live = "SELECT live FROM timer WHERE id = $1";
    while sqlx::query_scalar(live).bind(timer).fetch_one(&system.pool).await? {
        anyhow::ensure!(start.elapsed() < PATIENCE, "the timer of a rule that is gone was not retired");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(start.elapsed())
}

/// It is matched against the rules in force, so it waits for those.
async fn event(system: &System) -> anyhow::Result<Duration> {
    let event = NewEvent { trigger: TRIGGER.to_owned(), payload: json!({}), trigger_params: None, key: None };
    let start = Instant::now();
    system
        .ingest()
        .submit(Submission { origin: Origin::Post { source: None }, events: vec![event] }, PATIENCE)
        .await?;
    Ok(start.elapsed())
}
