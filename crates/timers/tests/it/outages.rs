//! Services that are killed and come back, soon or late.

use serde_json::{Value, json};

use crate::world::{Service, World, at, seconds};

const START: &str = "2026-03-01T12:00:00Z";

async fn with_rule(params: &Value) -> (World, Service) {
    let world = World::new().await;
    world.rule("tick", "interval", params).await;
    let mut service = world.service();
    service.at(at(START)).await;
    (world, service)
}

#[tokio::test]
async fn a_restart_at_every_second_instant_loses_and_doubles_nothing() {
    let (world, mut service) = with_rule(&json!({"seconds": 10})).await;
    let start = at(START);
    for instant in (10..600).step_by(10) {
        if instant % 20 == 0 {
            // Killed just before, or just after it fired, or both; back at once or five seconds later.
            let is_late = instant % 60 == 0;
            if instant % 40 == 0 {
                service.at(start + seconds(instant)).await;
            }
            service = world.service();
            service.at(start + seconds(instant + if is_late { 5 } else { 0 })).await;
        } else {
            service.at(start + seconds(instant)).await;
        }
    }
    let expected: Vec<_> = (10..600).step_by(10).map(|instant| (instant, 0)).collect();
    assert_eq!(world.seconds("tick", start).await, expected);
}

/// Fires at 60, is away from 61 to `back`, and goes on until the next instant.
async fn away(missed: &str, limit: u32, back: i64) -> (Vec<(i64, i64)>, Value) {
    let params = json!({"seconds": 60, "missed": missed, "missed_limit": limit});
    let (world, mut service) = with_rule(&params).await;
    let start = at(START);
    service.at(start + seconds(60)).await;
    drop(service);
    let mut service = world.service();
    service.at(start + seconds(back)).await;
    service.at(start + seconds(420)).await;
    let row = "SELECT to_jsonb(ARRAY[fired, missed]) FROM timer";
    // Figures are written some seconds after something fired.
    service.at(start + seconds(431)).await;
    (world.seconds("tick", start).await, world.value(row).await)
}

#[tokio::test]
async fn what_was_missed_is_skipped_or_fired_once_or_all_and_counted() {
    let (fired, figures) = away("skip", 9, 390).await;
    assert_eq!((fired, figures), (vec![(60, 0), (420, 0)], json!([1, 5])));
    let (fired, figures) = away("once", 9, 390).await;
    assert_eq!((fired, figures), (vec![(60, 0), (360, 4), (420, 0)], json!([2, 4])));
    let (fired, _) = away("all", 9, 390).await;
    assert_eq!(fired, [(60, 0), (120, 0), (180, 0), (240, 0), (300, 0), (360, 0), (420, 0)]);
    let (fired, figures) = away("all", 2, 390).await;
    assert_eq!((fired, figures), (vec![(60, 0), (300, 3), (360, 0), (420, 0)], json!([3, 3])));
    // Back soon after an instant: that one is not missed.
    let (fired, _) = away("skip", 9, 365).await;
    assert_eq!(fired, [(60, 0), (360, 4), (420, 0)]);
}

#[tokio::test]
async fn the_phase_is_kept_for_ever() {
    let (world, service) = with_rule(&json!({"hours": 1, "missed": "skip"})).await;
    drop(service);
    let mut service = world.service();
    let next = service.at(at("2026-03-20T15:21:00Z")).await;
    assert_eq!(next, Some(at("2026-03-20T16:00:00Z")));
}

#[tokio::test]
async fn a_database_that_fails_costs_time_and_no_instant() {
    let (world, mut service) = with_rule(&json!({"seconds": 60, "missed": "all"})).await;
    let start = at(START);
    world.run("ALTER TABLE event RENAME TO hidden").await;
    assert!(!service.try_at(start + seconds(60)).await);
    assert!(!service.try_at(start + seconds(120)).await);
    world.run("ALTER TABLE hidden RENAME TO event").await;
    service.at(start + seconds(121)).await;
    assert_eq!(world.seconds("tick", start).await, [(60, 0), (120, 0)]);
}

#[tokio::test]
async fn one_that_the_database_refuses_does_not_hold_up_the_others() {
    let (world, mut service) = with_rule(&json!({"seconds": 60})).await;
    world.rule("other", "interval", &json!({"seconds": 59})).await;
    service.hear().await;
    service.at(at(START)).await;
    world.run("ALTER TABLE event ADD CHECK (trigger_params ->> 'seconds' <> '60')").await;
    assert!(!service.try_at(at(START) + seconds(60)).await);
    assert_eq!(world.seconds("other", at(START)).await, [(59, 0)]);
    assert_eq!(world.seconds("tick", at(START)).await, []);
}
