//! Things switched off and on again.

use attune_common::repositories::listing::Noun;
use attune_common::repositories::{config_version, sensor, sensor_state};
use attune_executor::ingest::{IngestError, Refusal};
use attune_executor::switch::{Switched, switch};
use serde_json::json;

use crate::system::{System, high};

async fn set(system: &System, noun: Noun, name: &str, enabled: bool) -> Option<Switched> {
    switch(system.pool(), noun, name, enabled).await.unwrap()
}

#[tokio::test]
async fn each_kind_of_thing_is_switched_and_says_when_it_was_already() {
    let system = System::with_demo().await;
    for (noun, name) in [
        (Noun::Pack, "demo"),
        (Noun::Trigger, "demo.high"),
        (Noun::Sensor, "demo.cpu"),
        (Noun::Action, "demo.tell"),
        (Noun::Rule, "demo.tell_high"),
    ] {
        for enabled in [false, true] {
            let r#ref = name.to_owned();
            let now = Switched { r#ref, enabled, changed: true };
            assert_eq!(set(&system, noun, name, enabled).await, Some(now.clone()));
            let row = format!("SELECT to_jsonb(enabled) FROM {} WHERE ref = '{name}'", noun.name());
            assert_eq!(system.value(&row).await, enabled);
            let version = config_version::get(system.pool()).await.unwrap();
            assert_eq!(set(&system, noun, name, enabled).await, Some(Switched { changed: false, ..now }));
            assert_eq!(config_version::get(system.pool()).await.unwrap(), version);
        }
        assert_eq!(set(&system, noun, "demo.nothing", true).await, None);
    }
    assert_eq!(set(&system, Noun::Runtime, "core.shell", false).await, None);
}

#[tokio::test]
async fn a_disabled_pack_takes_no_events() {
    let system = System::with_demo().await;
    set(&system, Noun::Pack, "demo", false).await;
    let refused = system.post(vec![high(90)]).await;
    assert!(
        matches!(refused, Err(IngestError::Refused { refusal: Refusal::DisabledTrigger(_), .. })),
        "{refused:?}"
    );
    set(&system, Noun::Pack, "demo", true).await;
    assert_eq!(system.post(vec![high(90)]).await.unwrap().enforcements, [1]);
}

#[tokio::test]
async fn a_disabled_packs_rules_are_out_of_force_and_its_actions_take_no_work() {
    let system = System::with_demo().await;
    system.run("UPDATE trigger SET pack = NULL").await;
    set(&system, Noun::Pack, "demo", false).await;
    assert_eq!(system.post(vec![high(90)]).await.unwrap().enforcements, [0]);
    // A rule of somebody else's, on an action of the disabled pack.
    system.run("UPDATE rule SET pack = NULL").await;
    system.post(vec![high(90)]).await.unwrap();
    let reasons = system.value("SELECT jsonb_agg(reason) FROM enforcement").await;
    assert_eq!(reasons, json!(["action demo.tell is disabled, by itself or with its pack"]));
    assert_eq!(system.count("execution").await, 0);
}

#[tokio::test]
async fn a_disabled_packs_sensors_do_not_run_and_say_why() {
    let system = System::with_demo().await;
    assert_eq!(enabled_sensors(&system).await, 1);
    let shown = "SELECT jsonb_build_array(status, reason) FROM sensor_state";
    for (noun, name, enabled, expected) in [
        (Noun::Pack, "demo", false, json!(["stopped", "its pack demo is disabled"])),
        (Noun::Sensor, "demo.cpu", false, json!(["stopped", null])),
    ] {
        set(&system, noun, name, enabled).await;
        assert_eq!(enabled_sensors(&system).await, 0);
        sensor_state::mark_stopped(system.pool()).await.unwrap();
        assert_eq!(system.value(shown).await, expected);
    }
}

async fn enabled_sensors(system: &System) -> usize {
    sensor::load_sensor_set(system.pool(), None).await.unwrap().1.sensors.len()
}
