//! Figures of several services add up, and go when they are old.

use std::time::Duration;

use attune_common::registration::LEASE;
use attune_common::repositories::usage::{self, Kind};
use attune_core::usage::{Ended, Figures, Spent};
use attune_executor::reconcile::Reconciler;
use attune_executor::usage::Meter;
use serde_json::json;

use crate::system::System;

fn run(cpu: u64, peak_memory: u64) -> Figures {
    let spent = Spent { cpu: Some(Duration::from_millis(cpu)), peak_memory, output: 7 };
    Figures::of_run(Ended::Succeeded, Duration::from_millis(10 * cpu), &spent)
}

async fn action(system: &System) -> i64 {
    system.value("SELECT to_jsonb(min(id)) FROM action").await.as_i64().unwrap()
}

fn meter(system: &System) -> Meter {
    Meter::new(system.pool().clone(), Kind::Action)
}

#[tokio::test]
async fn two_services_add_to_one_action() {
    let system = System::with_demo().await;
    let (action, one, other) = (action(&system).await, meter(&system), meter(&system));
    for round in 1..=10 {
        one.note(action, &run(round, round));
        other.note(action, &run(100, 100));
        tokio::join!(one.write(), other.write());
    }
    // What was refused for a moment is still kept.
    tokio::join!(one.write(), other.write());
    let all = "SELECT to_jsonb(u) - 'start' - 'id' - 'kind' - 'period' FROM usage u WHERE period = 'ever'";
    let expected = json!({"runs": 20, "failed": 0, "timed_out": 0, "stopped": 0, "metered": 20, "cpu_us": 1_055_000,
        "wall_us": 10_550_000, "longest_us": 1_000_000, "output_bytes": 140, "events": 0, "peak_memory_bytes": 100});
    assert_eq!(system.value(all).await, expected);
    let hour = usage::last_hour(system.pool(), Kind::Action, action).await.unwrap();
    let day = usage::last_day(system.pool(), Kind::Action, action).await.unwrap();
    assert_eq!((hour.runs, hour.cpu_us), (20, 1_055_000));
    assert_eq!(day, hour);
}

#[tokio::test]
async fn a_database_that_refuses_costs_no_figures() {
    let system = System::with_demo().await;
    let (action, meter) = (action(&system).await, meter(&system));
    meter.note(action, &run(3, 3));
    system.run("ALTER TABLE usage RENAME TO elsewhere").await;
    meter.write().await;
    meter.note(action, &run(4, 4));
    system.run("ALTER TABLE elsewhere RENAME TO usage").await;
    meter.write().await;
    assert_eq!(system.value("SELECT to_jsonb(cpu_us) FROM usage WHERE period = 'ever'").await, 7000);
}

#[tokio::test]
async fn who_is_gone_gets_no_figures_and_the_others_theirs() {
    let system = System::with_demo().await;
    let (action, meter) = (action(&system).await, meter(&system));
    meter.note(action, &run(1, 1));
    meter.note(action + 1_000_000, &run(1, 1));
    meter.write().await;
    assert_eq!(system.count("usage").await, 3);
}

#[tokio::test]
async fn what_nobody_looks_back_at_is_removed() {
    let system = System::with_demo().await;
    let (action, meter) = (action(&system).await, meter(&system));
    let heartbeat_interval = Duration::from_secs(30);
    let reconciler = Reconciler { pool: system.pool().clone(), heartbeat_interval, lease: LEASE };
    meter.note(action, &run(1, 1));
    meter.write().await;
    reconciler.round(false).await.unwrap();
    assert_eq!(system.count("usage").await, 3);
    system.run("UPDATE usage SET start = start - INTERVAL '24 hours' WHERE period <> 'ever'").await;
    reconciler.round(false).await.unwrap();
    assert_eq!(system.count("usage WHERE period = 'hour'").await, 1, "it is part of the last day");
    assert_eq!(system.count("usage WHERE period = '5min'").await, 0);
    system.run("UPDATE usage SET start = start - INTERVAL '2 hours' WHERE period = 'hour'").await;
    reconciler.round(false).await.unwrap();
    assert_eq!(system.count("usage WHERE period = 'ever'").await, 1);
    assert_eq!(system.count("usage").await, 1);
}
