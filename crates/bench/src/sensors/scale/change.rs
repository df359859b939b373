//! How soon a change is in force among many sensors, and whether anything else notices.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use attune_executor::ingest::{NewEvent, Origin, Submission};
use serde_json::json;

use super::System;
use crate::summary::Summary;

/// A person may wait so long for a change to be in force.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How often each change is made.
const CHANGES: u32 = 20;

/// What a change of something else must leave alone.
#[derive(Debug)]
struct Others {
    hosts: HashSet<u32>,
    /// The sum of all epochs, which rise when a sensor changes hands.
    epochs: i64,
}

/// Changes sensors, then rules, and measures until the change shows in what comes of them.
pub(super) async fn run(system: &System) -> anyhow::Result<()> {
    let before = Others::now(system).await?;
    let sensors = repeated(system, edit_a_sensor, sensor_is_edited).await?;
    println!("from the change of a sensor to the first event by it: {}", sensors.line());
    prepare_rules(system).await?;
    let rules = repeated(system, edit_a_rule, rule_is_edited).await?;
    println!("from the change of a rule to the first event judged by it: {}", rules.line());
    before.compare(&Others::now(system).await?)?;
    for (what, figures) in [("sensor", sensors), ("rule", rules)] {
        anyhow::ensure!(figures.longest() <= AT_ONCE, "a change of a {what} took too long");
    }
    Ok(())
}

async fn repeated(
    system: &System,
    edit: impl AsyncFn(&System, u32) -> anyhow::Result<()>,
    is_in_force: impl AsyncFn(&System, u32) -> anyhow::Result<bool>,
) -> anyhow::Result<Summary> {
    let mut summary = Summary::new()?;
    for n in 1..=CHANGES {
        let start = Instant::now();
        edit(system, n).await?;
        while !is_in_force(system, n).await? {
            anyhow::ensure!(start.elapsed() < 30 * AT_ONCE, "a change is not in force");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        summary.record(start.elapsed())?;
    }
    Ok(summary)
}

/// One that was silent reports from now on.
async fn edit_a_sensor(system: &System, n: u32) -> anyhow::Result<()> {
    let edit = "UPDATE sensor SET config = jsonb_build_object('emit', true, 'edited', $1::int)
                WHERE id = (SELECT min(id) FROM sensor WHERE config = '{}')";
    sqlx::query(edit).bind(i32::try_from(n)?).execute(&system.pool).await?;
    Ok(())
}

async fn sensor_is_edited(system: &System, n: u32) -> anyhow::Result<bool> {
    let seen = "SELECT EXISTS (SELECT FROM event WHERE sensor = (SELECT id FROM sensor WHERE config->'edited' = to_jsonb($1::int)))";
    Ok(sqlx::query_scalar(seen).bind(i32::try_from(n)?).fetch_one(&system.pool).await?)
}

/// An action that nobody runs here, and a rule on what the sensors of the first pack report.
async fn prepare_rules(system: &System) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "INSERT INTO action (ref, runtime_ref, entrypoint) VALUES ('bench.act', 'core.native', 'nothing');
         INSERT INTO rule (ref, trigger_ref, action_ref) VALUES ('bench.rule', 'b0.seen', 'bench.act')",
    )
    .execute(&system.pool)
    .await?;
    Ok(())
}

async fn edit_a_rule(system: &System, n: u32) -> anyhow::Result<()> {
    let edit =
        "UPDATE rule SET action_params = jsonb_build_object('edited', $1::int) WHERE ref = 'bench.rule'";
    sqlx::query(edit).bind(i32::try_from(n)?).execute(&system.pool).await?;
    Ok(())
}

/// Asks by an event.
async fn rule_is_edited(system: &System, n: u32) -> anyhow::Result<bool> {
    let event =
        NewEvent { trigger: "b0.seen".to_owned(), payload: json!({}), trigger_params: None, key: None };
    let submission = Submission { origin: Origin::Post { source: None }, events: vec![event] };
    system.ingest().submit(submission, 30 * AT_ONCE).await?;
    let seen = "SELECT EXISTS (SELECT FROM execution WHERE params->'edited' = to_jsonb($1::int))";
    Ok(sqlx::query_scalar(seen).bind(i32::try_from(n)?).fetch_one(&system.pool).await?)
}

impl Others {
    async fn now(system: &System) -> anyhow::Result<Self> {
        let hosts = system.usage()?.hosts;
        Ok(Self { hosts, epochs: system.number("SELECT sum(epoch)::bigint FROM sensor_state").await? })
    }

    fn compare(&self, after: &Self) -> anyhow::Result<()> {
        let stayed = self.hosts.intersection(&after.hosts).count();
        println!(
            "of {} hosts before these changes {stayed} were there after them, and {} sensors changed hands",
            self.hosts.len(),
            after.epochs - self.epochs
        );
        anyhow::ensure!(after.epochs == self.epochs, "sensors changed hands");
        Ok(())
    }
}
