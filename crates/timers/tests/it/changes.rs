//! Rules that come, go and come back, and rules that are none.

use serde_json::json;

use crate::world::{World, at, seconds};

const START: &str = "2026-03-01T12:00:00Z";

#[tokio::test]
async fn rules_with_the_same_parameters_share_a_timer() {
    let world = World::new().await;
    world.rule("one", "interval", &json!({"minutes": 1})).await;
    world.rule("two", "interval", &json!({"minutes": 1.0, "missed": "once"})).await;
    world.rule("three", "interval", &json!({"seconds": 60})).await;
    let mut service = world.service();
    service.at(at(START)).await;
    assert_eq!(service.count(), 2);
    service.at(at(START) + seconds(60)).await;
    assert_eq!((world.count("event").await, world.count("enforcement").await), (2, 3));
    for rule in ["one", "two", "three"] {
        assert_eq!(world.seconds(rule, at(START)).await, [(60, 0)], "{rule}");
    }
}

#[tokio::test]
async fn a_rule_that_was_off_keeps_its_phase_and_has_missed_nothing() {
    let (world, start) = (World::new().await, at(START));
    world.rule("tick", "interval", &json!({"seconds": 60, "missed": "all"})).await;
    let (mut service, mut second) = (world.service(), world.service());
    service.at(start).await;
    service.at(start + seconds(60)).await;
    world.run("UPDATE rule SET enabled = FALSE").await;
    service.hear().await;
    service.at(start + seconds(70)).await;
    assert_eq!((service.count(), world.count("timer WHERE NOT live").await), (0, 1));
    // Nobody asks, whoever looks.
    second.at(start + seconds(250)).await;
    service.at(start + seconds(300)).await;
    world.run("UPDATE rule SET enabled = TRUE").await;
    for service in [&mut service, &mut second] {
        service.hear().await;
        assert_eq!(service.at(start + seconds(330)).await, Some(start + seconds(360)));
        service.at(start + seconds(360)).await;
    }
    assert_eq!(world.seconds("tick", start).await, [(60, 0), (360, 0)]);
}

#[tokio::test]
async fn a_service_with_old_rules_ends_no_timer_that_newer_ones_ask_for() {
    let (world, start) = (World::new().await, at(START));
    let (mut old, mut new) = (world.service(), world.service());
    world.rule("tick", "interval", &json!({"seconds": 60})).await;
    old.at(start).await;
    world.run("UPDATE rule SET enabled = FALSE").await;
    old.hear().await;
    world.run("UPDATE rule SET enabled = TRUE").await;
    new.at(start + seconds(1)).await;
    // The new one found it live and has nothing to say; the old one ends it, for the old rules.
    old.at(start + seconds(2)).await;
    new.at(start + seconds(60)).await;
    old.hear().await;
    old.at(start + seconds(61)).await;
    assert_eq!(world.count("timer WHERE live").await, 1);
    assert_eq!(world.seconds("tick", start).await, [(60, 0)]);
}

#[tokio::test]
async fn a_rule_that_no_timer_can_follow_is_broken_and_harms_nobody() {
    let world = World::new().await;
    world.rule("zone", "cron", &json!({"cron": "* * * * *", "timezone": "Europe/Berln"})).await;
    world.rule("never", "interval", &json!({"seconds": 0})).await;
    world.rule("list", "date", &json!([1])).await;
    world.rule("tick", "interval", &json!({"seconds": 60})).await;
    let mut service = world.service();
    service.at(at(START)).await;
    service.at(at(START) + seconds(60)).await;
    assert_eq!(service.count(), 1);
    assert_eq!(world.seconds("tick", at(START)).await, [(60, 0)]);
    assert_eq!(
        service.fault("t.zone").as_deref(),
        Some(
            "trigger_params: timezone: \"Europe/Berln\" is no time zone of the IANA database (did you mean Europe/Berlin?)"
        )
    );
    assert!(service.fault("t.never").unwrap().starts_with("trigger_params: seconds: "));
    assert!(service.fault("t.list").is_some());
    assert_eq!(service.fault("t.tick"), None);
}

#[tokio::test]
async fn a_disabled_trigger_has_no_timers() {
    let world = World::new().await;
    world.rule("tick", "interval", &json!({"seconds": 60})).await;
    world.run("UPDATE trigger SET enabled = FALSE WHERE ref = 'core.interval_timer'").await;
    let mut service = world.service();
    assert_eq!(service.at(at(START)).await, None);
}

#[tokio::test]
async fn at_rest_nothing_is_written() {
    let world = World::new().await;
    world
        .run(
            "INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params)
             SELECT 't.rest_' || n, 'core.interval_timer', 't.noop', jsonb_build_object('hours', 100, 'seconds', n)
             FROM generate_series(1, 1000) n",
        )
        .await;
    let mut service = world.service();
    service.at(at(START)).await;
    assert_eq!(service.count(), 1000);
    let written = "SELECT to_jsonb(ARRAY[(SELECT max(xmin::text) FROM timer), (SELECT max(xmin::text) FROM timer_progress)])";
    let before = world.value(written).await;
    service.until(at(START), at(START) + seconds(3000), seconds(1)).await;
    assert_eq!((world.value(written).await, world.count("event").await), (before, 0));
}
