//! Clocks that leap.

use chrono::TimeDelta;
use serde_json::json;

use crate::world::{World, at, seconds};

const START: &str = "2026-03-01T12:00:00Z";

#[tokio::test]
async fn a_clock_that_goes_back_doubles_nothing_and_stops_nothing() {
    let (world, start) = (World::new().await, at(START));
    world.rule("tick", "interval", &json!({"seconds": 60})).await;
    let mut service = world.service();
    service.until(start, start + seconds(300), seconds(20)).await;
    // Two minutes back: these were fired. Then it goes on.
    service.until(start + seconds(180), start + seconds(420), seconds(20)).await;
    let expected: Vec<_> = (1..=7).map(|n| (n * 60, 0)).collect();
    assert_eq!(world.seconds("tick", start).await, expected);
}

#[tokio::test]
async fn a_clock_that_was_years_ahead_silences_nobody() {
    let (world, start) = (World::new().await, at(START));
    world.rule("tick", "interval", &json!({"seconds": 60})).await;
    let mut service = world.service();
    service.at(start).await;
    service.at(start + TimeDelta::days(3650)).await;
    service.at(start + TimeDelta::days(3650) + seconds(20)).await;
    // It is put right while the service runs, and then found by one that starts.
    service.until(start + seconds(30), start + seconds(120), seconds(5)).await;
    service.at(start + seconds(122)).await;
    let mut service = world.service();
    service.until(start + seconds(123), start + seconds(183), seconds(4)).await;
    let fired = world.seconds("tick", start).await;
    let today: Vec<_> = fired.into_iter().filter(|(second, _)| *second < 86_400).collect();
    assert_eq!(today, [(60, 0), (120, 0), (180, 0)]);
}

#[tokio::test]
async fn a_clock_that_leaps_forward_has_missed_what_it_leapt_over() {
    let (world, start) = (World::new().await, at(START));
    world.rule("tick", "interval", &json!({"seconds": 60})).await;
    let mut service = world.service();
    service.at(start).await;
    service.at(start + seconds(3630)).await;
    assert_eq!(world.seconds("tick", start).await, [(3600, 59)]);
}

#[tokio::test]
async fn a_date_is_fired_once_also_when_it_passed_while_nobody_was_there() {
    let (world, start) = (World::new().await, at(START));
    world.rule("soon", "date", &json!({"at": "2026-03-01T13:00:00Z"})).await;
    world.rule("over", "date", &json!({"at": "2026-03-01T11:00:00Z"})).await;
    world.service().at(start).await;
    let mut service = world.service();
    assert_eq!(service.at(start + TimeDelta::days(2)).await, None);
    world.service().at(start + TimeDelta::days(3)).await;
    assert_eq!(world.seconds("soon", start).await, [(3600, 0)]);
    assert_eq!(world.seconds("over", start).await, []);
}
