//! Two services at once, one of which is killed at every second instant, through nights in which clocks change: nothing is
//! missed and nothing doubled.

use attune_core::schedule::Timer;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::world::{World, at, seconds};

/// A zone and the instant of a change of its clocks.
const NIGHTS: [(&str, &str); 10] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    ("Pacific/Chatham", "2026-09-26T14:00:00Z"),
    ("Pacific/Chatham", "2026-04-04T14:00:00Z"),
];

/// Rules with times around the change, as intervals and as times of the day.
fn rules(zone: &str, change: DateTime<Utc>) -> Vec<(String, &'static str, Value)> {
    let local = |minutes| {
        Timer::read("core.cron_timer", &json!({"cron": "* * * * *", "timezone": zone}))
            .unwrap()
            .unwrap()
            .local(change + TimeDelta::minutes(minutes))
            .unwrap()
    };
    let time = |minutes| {
        let local = local(minutes);
        format!("{} {} * * *", &local[14..16], &local[11..13])
    };
    let cron = |text: &str| json!({"cron": text, "timezone": zone});
    vec![
        ("steps".to_owned(), "cron", cron("*/10 * * * *")),
        ("before".to_owned(), "cron", cron(&time(-15))),
        ("at".to_owned(), "cron", cron(&time(0))),
        ("after".to_owned(), "cron", cron(&time(15))),
        ("list".to_owned(), "cron", cron("15,45 0,1,2,3,23 * * *")),
        ("seven".to_owned(), "interval", json!({"minutes": 7})),
    ]
}

/// What a timer has to fire, by the pure functions that another test holds against a table.
fn expected(timer: &str, params: &Value, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let timer = Timer::read(&format!("core.{timer}_timer"), params).unwrap().unwrap();
    let next = |after: &DateTime<Utc>| timer.next_after(from, *after).filter(|instant| *instant <= to);
    std::iter::successors(next(&from), next).collect()
}

async fn night(zone: &str, change: &str) {
    let (world, change) = (World::new().await, at(change));
    let rules = rules(zone, change);
    for (name, timer, params) in &rules {
        world.rule(name, timer, params).await;
    }
    let (from, to) = (change - TimeDelta::minutes(95), change + TimeDelta::minutes(95));
    let (mut first, mut second) = (world.service(), world.service());
    let (mut now, mut turn) = (from, 0);
    first.at(now).await;
    while now < to {
        // Behind by its clock, the second one comes later; now and then it is the first.
        let lag = if turn % 3 == 0 { 0 } else { 3 };
        second.at(now - seconds(lag)).await;
        let next = first.at(now).await.unwrap();
        first = world.service();
        now = first.at(next).await.unwrap().min(to);
        turn += 1;
    }
    second.at(to).await;
    for (name, timer, params) in &rules {
        let fired = world.fired(name).await;
        let instants: Vec<_> =
            fired.iter().map(|(instant, _)| *instant).filter(|instant| *instant < to).collect();
        let expected = expected(timer, params, from, to - seconds(1));
        assert_eq!(instants, expected, "{zone} {change} {name} {params}");
        assert!(fired.iter().all(|(_, missed)| *missed == 0), "{zone} {change} {name}: {fired:?}");
    }
    let distinct =
        world.count("(SELECT DISTINCT trigger, trigger_params FROM rule WHERE enabled AND trigger_ref LIKE '%_timer') AS r").await;
    assert_eq!(world.count("timer WHERE live").await, distinct);
}

#[tokio::test]
async fn none_is_missed_and_none_doubled_when_clocks_change() {
    for (zone, change) in NIGHTS {
        night(zone, change).await;
    }
}
