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

/// What enabled rules on the enabled trigger ask for, and what is live.
const ASKED: &str = "SELECT to_jsonb(ARRAY(SELECT DISTINCT (r.trigger_params ->> 'seconds')::bigint FROM rule r JOIN trigger t ON t.id = r.trigger
                     WHERE r.enabled AND t.enabled AND r.ref LIKE 't.%' ORDER BY 1))";
const LIVE: &str =
    "SELECT to_jsonb(ARRAY(SELECT (params ->> 'seconds')::bigint FROM timer WHERE live ORDER BY 1))";

#[tokio::test]
async fn whatever_changes_between_two_looks_the_timers_are_those_that_rules_ask_for() {
    let (world, start) = (World::new().await, at(START));
    let mut service = world.service();
    for step in 0..120_i64 {
        // Nine rules with five kinds of parameters; numbers without a pattern that the steps would follow.
        let (rule, kind) = (step * step * 5 % 9, step * step * 3 % 11 % 5);
        let change = match step * 7 % 10 {
            0..6 => format!(
                "INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params)
                 VALUES ('t.{rule}', 'core.interval_timer', 't.noop', '{{\"seconds\": {}}}')
                 ON CONFLICT (ref) DO UPDATE SET trigger_params = EXCLUDED.trigger_params, enabled = TRUE",
                1000 + kind
            ),
            6 => format!("UPDATE rule SET enabled = NOT enabled WHERE ref = 't.{rule}'"),
            7 | 8 => format!("DELETE FROM rule WHERE ref = 't.{rule}'"),
            _ => "UPDATE trigger SET enabled = NOT enabled WHERE ref = 'core.interval_timer'".to_owned(),
        };
        world.run(&change).await;
        if step % 3 > 0 {
            service.hear().await;
            service.at(start + seconds(step)).await;
            let asked = world.value(ASKED).await;
            assert_eq!(world.value(LIVE).await, asked, "{step}: {change}");
            assert_eq!(service.count(), asked.as_array().unwrap().len(), "{step}: {change}");
        }
    }
}

#[tokio::test]
async fn a_change_that_failed_half_way_is_followed_in_the_end() {
    let (world, start) = (World::new().await, at(START));
    world.rule("old", "interval", &json!({"seconds": 60})).await;
    let mut service = world.service();
    service.at(start).await;
    world
        .run(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON timer FOR EACH ROW WHEN (NOT NEW.live) EXECUTE FUNCTION refuse()",
        )
        .await;
    // The new one is begun, the old one can not be ended.
    world.run("DELETE FROM rule").await;
    world.rule("new", "interval", &json!({"seconds": 70})).await;
    service.hear().await;
    assert!(!service.try_at(start + seconds(1)).await);
    assert_eq!((service.count(), world.count("timer WHERE live").await), (2, 2));
    world.run("DELETE FROM rule; DROP TRIGGER refuse ON timer").await;
    service.hear().await;
    service.at(start + seconds(2)).await;
    assert_eq!((service.count(), world.count("timer WHERE live").await), (0, 0));
}
