//! The watch over sensors: what it says of clocks that stand, who keeps it, and what it costs when all die at once.

use std::time::Duration;

use attune_common::registration::LEASE;
use attune_common::repositories::sensor_watch::{self, Round};
use attune_executor::core_pack;
use attune_executor::reconcile::{Notices, Watch};
use attune_hints::Hints;
use serde_json::{Value, json};

use crate::system::System;

const ROUND: Round = Round { clock_jumped: false };
const STATES: &str =
    "SELECT jsonb_agg(jsonb_build_array(status, reason) ORDER BY sensor) FROM sensor_state WHERE sensor > 0";

/// A live worker that owns so many sensors, all of which ticked and had an event a moment ago.
async fn owned(sensors: i32) -> (System, Watch) {
    let system = System::with_demo().await;
    core_pack::ensure_core_pack(system.pool()).await.unwrap();
    let watch = Watch::new(system.pool().clone(), Hints::default(), "a test", LEASE);
    system
        .run(&format!(
            "DELETE FROM sensor; DELETE FROM notice;
             INSERT INTO worker (name, worker_type, worker_role, status, epoch, last_heartbeat, lease_until)
             VALUES ('w', 'local', 'sensor', 'active', 1, clock_timestamp(), clock_timestamp() + INTERVAL '1 hour');
             INSERT INTO sensor (ref, entrypoint, poll_interval, timeout) SELECT 'demo.' || n, 's.sh', 30, 30 FROM generate_series(1, {sensors}) n;
             UPDATE sensor_state SET worker = (SELECT id FROM worker), status = 'running', owner_since = '2020-01-01', last_tick = clock_timestamp(),
                 last_contact = clock_timestamp(), last_event = clock_timestamp();
             DELETE FROM notice"
        ))
        .await;
    (system, watch)
}

async fn look(system: &System, watch: &mut Watch, may_judge: bool) -> Value {
    system.run("UPDATE sensor_state SET look_at = clock_timestamp()").await;
    watch.round(ROUND, may_judge).await.unwrap();
    system.value(STATES).await
}

/// The status and the reason of the only sensor. How long ago something was is told to the second, which may be another one.
async fn said(system: &System, watch: &mut Watch, status: &str, begins: &str, ends: &str) {
    let found = look(system, watch, true).await;
    let reason = found[0][1].as_str().unwrap_or_default();
    assert!(found[0][0] == status && reason.starts_with(begins) && reason.ends_with(ends), "{found}");
}

#[tokio::test]
async fn a_clock_that_stands_is_told_with_its_reason_and_once() {
    let (system, mut watch) = owned(1).await;
    said(&system, &mut watch, "running", "", "").await;
    system.run("UPDATE sensor_state SET last_event = clock_timestamp() - INTERVAL '16 min', run_since = '2020-01-01'").await;
    said(&system, &mut watch, "quiet", "no event for 16m", "").await;
    system.run("UPDATE sensor SET expect = '{\"event\": \"10m\"}'").await;
    for _ in 0..2 {
        said(&system, &mut watch, "silent", "no event for 16m", ", expected one each 10m").await;
    }
    system.run("UPDATE sensor_state SET last_tick = clock_timestamp() - INTERVAL '97 s'").await;
    said(&system, &mut watch, "stuck", "no tick for 1m ", ", due each 30s").await;
    let notices = "SELECT jsonb_agg(payload->'to' ORDER BY id) FROM notice";
    assert_eq!(system.value(notices).await, json!(["quiet", "silent", "stuck"]));
}

#[tokio::test]
async fn what_is_expected_is_in_force_at_once() {
    let (system, mut watch) = owned(2).await;
    system.run("UPDATE sensor_state SET last_event = clock_timestamp() - INTERVAL '5 min', run_since = '2020-01-01'").await;
    look(&system, &mut watch, true).await;
    let later = "sensor_state WHERE look_at > clock_timestamp() + INTERVAL '30 s'";
    assert_eq!(system.count(later).await, 2, "nobody would look");
    system.run("UPDATE sensor SET expect = '{\"event\": 60}' WHERE ref = 'demo.2'").await;
    watch.round(ROUND, true).await.unwrap();
    let states = system.value("SELECT jsonb_agg(status ORDER BY sensor) FROM sensor_state").await;
    assert_eq!(states, json!(["running", "silent"]));
}

#[tokio::test]
async fn what_never_happened_has_no_time() {
    let (system, mut watch) = owned(1).await;
    let new = "UPDATE sensor_state SET status = 'starting', last_tick = NULL, last_contact = NULL, last_event = NULL, next_try = NULL";
    system.run(new).await;
    look(&system, &mut watch, true).await;
    watch.round(Round { clock_jumped: true }, true).await.unwrap();
    let none = "sensor_state WHERE num_nonnulls(last_tick, last_contact, last_event, next_try) = 0";
    assert_eq!(system.count(none).await, 1);
}

#[tokio::test]
async fn a_lease_is_judged_by_who_may() {
    let (system, mut watch) = owned(1).await;
    system.run("UPDATE worker SET lease_until = clock_timestamp() - INTERVAL '22 s', last_heartbeat = clock_timestamp() - INTERVAL '1 h'").await;
    assert_eq!(look(&system, &mut watch, false).await, json!([["running", null]]));
    let states = look(&system, &mut watch, true).await;
    let reason = states[0][1].as_str().unwrap();
    assert_eq!(states[0][0], "unschedulable");
    assert!(reason.starts_with("no sensor worker is alive: the last one, w, was heard 4"), "{reason}");
    assert_eq!(system.count("sensor_state WHERE worker IS NULL AND epoch = 1").await, 1);
}

#[tokio::test]
async fn one_makes_the_round_and_whoever_is_alive_the_next() {
    let (system, _) = owned(1).await;
    let take = |keeper: &'static str| sensor_watch::take_round(system.pool(), keeper, Duration::from_secs(1));
    assert_eq!(take("a").await.unwrap(), Some(ROUND));
    assert_eq!((take("b").await.unwrap(), take("a").await.unwrap()), (None, None));
    system.run("UPDATE sensor_watch SET at = at - INTERVAL '1 s'").await;
    assert_eq!(take("b").await.unwrap(), Some(ROUND));
    system.run("UPDATE sensor_watch SET at = at + INTERVAL '1 hour'").await;
    assert_eq!(take("c").await.unwrap(), Some(Round { clock_jumped: true }));
    assert_eq!(system.value("SELECT to_jsonb(keeper) FROM sensor_watch").await, "c");
}

#[tokio::test]
async fn after_a_jump_of_the_clock_what_lies_in_the_future_is_now() {
    let (system, mut watch) = owned(1).await;
    look(&system, &mut watch, true).await;
    let later = "UPDATE sensor_state SET last_tick = clock_timestamp() + INTERVAL '1 day', look_at = clock_timestamp() + INTERVAL '1 day';
        UPDATE worker SET lease_until = clock_timestamp() + INTERVAL '1 day'";
    system.run(later).await;
    watch.round(ROUND, true).await.unwrap();
    assert_eq!(system.count("sensor_state WHERE last_tick > clock_timestamp()").await, 1);
    watch.round(Round { clock_jumped: true }, true).await.unwrap();
    assert_eq!(system.count("sensor_state WHERE last_tick <= clock_timestamp()").await, 1);
    assert_eq!(system.count("worker WHERE lease_until < clock_timestamp() + INTERVAL '21 s'").await, 1);
}

#[tokio::test]
async fn ten_thousand_that_die_at_once_are_told_in_bounded_rounds() {
    let (system, mut watch) = owned(10_000).await;
    system.run("DELETE FROM worker; UPDATE sensor_state SET look_at = clock_timestamp()").await;
    let mut rounds = 0;
    while system.count("sensor_state WHERE status = 'running'").await > 0 {
        let before = system.count("notice").await;
        let begun = std::time::Instant::now();
        watch.round(ROUND, true).await.unwrap();
        rounds += 1;
        println!("round {rounds}: {:?}", begun.elapsed());
        assert!(system.count("notice").await - before <= 2000);
    }
    assert_eq!(rounds, 5);
    let begun = std::time::Instant::now();
    let notices =
        Notices { pool: system.pool().clone(), hints: Hints::default(), ingest: system.ingest.clone() };
    notices.round().await.unwrap();
    println!("10,000 notices became events in {:?}", begun.elapsed());
    assert_eq!(system.count("event WHERE trigger_ref = 'core.sensor_state'").await, 10_000);
    assert_eq!(system.count("notice").await, 0);
    let begun = std::time::Instant::now();
    watch.round(ROUND, true).await.unwrap();
    println!("a round more: {:?}", begun.elapsed());
}
