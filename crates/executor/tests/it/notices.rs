//! What Attune notices about its workers becomes an event, once, whatever happens in between.

use std::time::Duration;

use attune_common::registration::{Held, Identity, LEASE, Registration, WorkerRole};
use attune_common::repositories::worker;
use attune_executor::core_pack;
use attune_executor::reconcile::Notices;
use attune_hints::Hints;
use serde_json::{Value, json};

use crate::system::System;

const EVENTS: &str = "event WHERE trigger_ref = 'core.worker_state'";
/// What notices say, the oldest first.
const PAYLOADS: &str =
    "SELECT jsonb_agg(payload ORDER BY id) FROM event WHERE trigger_ref = 'core.worker_state'";

async fn system() -> System {
    let system = System::with_demo().await;
    core_pack::ensure_core_pack(system.pool()).await.unwrap();
    system
}

fn notices(system: &System) -> Notices {
    Notices { pool: system.pool().clone(), hints: Hints::default(), ingest: system.ingest.clone() }
}

fn capabilities(versions: &Value, at: &str) -> Value {
    let names: Vec<_> =
        versions.as_object().unwrap().keys().map(|r#ref| r#ref.replace("core.", "")).collect();
    let details: serde_json::Map<_, _> = versions
        .as_object()
        .unwrap()
        .iter()
        .map(|(r#ref, version)| (r#ref.clone(), json!({"version": version, "verified_at": at})))
        .collect();
    json!({"runtimes": names, "runtime_details": details})
}

/// A worker that has alpha 1.0.
async fn registered(system: &System) -> (Registration, Held) {
    let heartbeat_interval = Duration::from_secs(30);
    let (name, host) = ("one".to_owned(), "here".to_owned());
    let identity =
        Identity { name, role: WorkerRole::Action, host, heartbeat_interval, lease: LEASE, replace: true };
    let mut registration = Registration::new(system.pool().clone(), identity);
    let first = capabilities(&json!({"core.alpha": "1.0"}), "then");
    for (key, value) in first.as_object().unwrap() {
        registration.add_capability(key.clone(), value.clone());
    }
    registration.register().await.unwrap();
    let held = registration.held().unwrap();
    (registration, held)
}

async fn report(system: &System, held: Held, versions: Value) {
    let reported = worker::set_capabilities(system.pool(), held, &capabilities(&versions, "now")).await;
    assert!(reported.unwrap());
}

#[tokio::test]
async fn a_change_of_capabilities_is_an_event_that_rules_act_on() {
    let system = system().await;
    let rule = "INSERT INTO rule (ref, trigger_ref, action_ref, conditions, action_params)
                SELECT 'demo.gained', 'core.worker_state', ref, '[{\"field\": \"payload.added\", \"operator\": \"contains\", \"value\": \"beta\"}]', '{}'
                FROM action ORDER BY ref LIMIT 1";
    system.run(rule).await;
    let (_, held) = registered(&system).await;
    report(&system, held, json!({"core.beta": "2.0", "core.gamma": null})).await;
    notices(&system).round().await.unwrap();
    assert_eq!(
        system.value(PAYLOADS).await,
        json!([{
            "worker": "one", "role": "action", "host": "here", "status": "active", "previous_status": "active",
            "runtimes": ["beta", "gamma"], "added": ["beta", "gamma"], "removed": ["alpha"],
            "versions": {"core.beta": "2.0", "core.gamma": null},
        }])
    );
    assert_eq!(
        system.value("SELECT to_jsonb(source) FROM event WHERE trigger_ref = 'core.worker_state'").await,
        "attune"
    );
    assert_eq!(system.count("enforcement WHERE rule_ref = 'demo.gained'").await, 1);
    assert_eq!(system.count("notice").await, 0);
}

#[tokio::test]
async fn another_version_is_a_change_and_another_time_of_verification_is_none() {
    let system = system().await;
    let (_, held) = registered(&system).await;
    report(&system, held, json!({"core.alpha": "1.0"})).await;
    assert_eq!(system.count("notice").await, 0);
    report(&system, held, json!({"core.alpha": "1.1"})).await;
    notices(&system).round().await.unwrap();
    let payload = &system.value(PAYLOADS).await[0];
    assert_eq!((&payload["added"], &payload["versions"]), (&json!([]), &json!({"core.alpha": "1.1"})));
}

#[tokio::test]
async fn a_registration_tells_what_differs_from_the_former_one() {
    let system = system().await;
    let (first, _) = registered(&system).await;
    assert_eq!(system.count("notice").await, 0, "there was nothing before it");
    registered(&system).await;
    assert_eq!(system.count("notice").await, 0, "the same again");
    system.run("UPDATE worker SET capabilities = '{\"runtimes\": [\"beta\"]}'").await;
    drop(first);
    registered(&system).await;
    notices(&system).round().await.unwrap();
    let told = system.value(PAYLOADS).await;
    assert_eq!((&told[0]["added"], &told[0]["removed"]), (&json!(["beta"]), &json!(["alpha"])));
    assert_eq!((&told[1]["added"], &told[1]["removed"]), (&json!(["alpha"]), &json!(["beta"])));
}

#[tokio::test]
async fn a_worker_that_goes_silent_comes_back_or_leaves_changes_its_state() {
    let system = system().await;
    let (registration, held) = registered(&system).await;
    system.run("UPDATE worker SET last_heartbeat = NOW() - INTERVAL '1 hour', lease_until = NOW() - INTERVAL '1 hour'").await;
    worker::mark_inactive(system.pool(), Duration::from_secs(30)).await.unwrap();
    assert!(worker::heartbeat(system.pool(), held).await.unwrap());
    assert!(worker::heartbeat(system.pool(), held).await.unwrap());
    registration.deregister().await.unwrap();
    notices(&system).round().await.unwrap();
    let told = system.value(PAYLOADS).await;
    let statuses: Vec<_> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|payload| (&payload["previous_status"], &payload["status"]))
        .collect();
    let (active, inactive) = (&json!("active"), &json!("inactive"));
    assert_eq!(statuses, [(active, inactive), (inactive, active), (active, inactive)]);
}

#[tokio::test]
async fn a_crash_between_the_event_and_the_end_of_its_notice_doubles_nothing() {
    let system = system().await;
    let (_, held) = registered(&system).await;
    report(&system, held, json!({})).await;
    system.run("CREATE TABLE kept AS SELECT * FROM notice").await;
    notices(&system).round().await.unwrap();
    system.run("INSERT INTO notice SELECT * FROM kept").await;
    notices(&system).round().await.unwrap();
    assert_eq!((system.count(EVENTS).await, system.count("notice").await), (1, 0));
}

#[tokio::test]
async fn executors_side_by_side_tell_each_notice_once() {
    let system = system().await;
    let (_, held) = registered(&system).await;
    for n in 0..250 {
        report(&system, held, json!({"core.alpha": n.to_string()})).await;
    }
    let (one, other) = (notices(&system), notices(&system));
    let (one, other) = tokio::join!(one.round(), other.round());
    one.unwrap();
    other.unwrap();
    assert_eq!((system.count(EVENTS).await, system.count("notice").await), (250, 0));
}

#[tokio::test]
async fn a_change_that_is_rolled_back_was_none() {
    let system = system().await;
    registered(&system).await;
    system.run("BEGIN; UPDATE worker SET status = 'inactive'; ROLLBACK").await;
    assert_eq!(system.count("notice").await, 0);
}

#[tokio::test]
async fn a_notice_without_a_trigger_waits_for_it_and_keeps_nobody_waiting() {
    let system = system().await;
    system.run("INSERT INTO notice (trigger_ref, payload) VALUES ('demo.later', '{\"n\": 1}')").await;
    let (_, held) = registered(&system).await;
    report(&system, held, json!({})).await;
    notices(&system).round().await.unwrap();
    assert_eq!((system.count(EVENTS).await, system.count("notice").await), (1, 1));
    system.run("INSERT INTO trigger (ref) VALUES ('demo.later')").await;
    notices(&system).round().await.unwrap();
    assert_eq!(
        (system.count("event WHERE trigger_ref = 'demo.later'").await, system.count("notice").await),
        (1, 0)
    );
}

#[tokio::test]
async fn notices_of_a_trigger_that_is_held_hide_no_others_and_wait() {
    let system = system().await;
    system
        .run(
            "UPDATE trigger SET max_per_minute = 1 WHERE ref = 'demo.high';
             INSERT INTO notice (trigger_ref, payload) SELECT 'demo.high', '{\"value\": 5}' FROM generate_series(1, 250);
             INSERT INTO notice (trigger_ref, payload) VALUES ('demo.low', '{\"value\": 5}')",
        )
        .await;
    notices(&system).round().await.unwrap();
    assert_eq!(system.count("event WHERE trigger_ref = 'demo.low'").await, 1);
    assert_eq!(system.count("event WHERE trigger_ref = 'demo.high'").await, 1);
    assert_eq!(system.count("notice WHERE trigger_ref = 'demo.high'").await, 249);
}

#[tokio::test]
async fn what_its_trigger_refuses_or_nobody_waited_for_is_dropped() {
    let system = system().await;
    system.run("UPDATE trigger SET enabled = FALSE WHERE ref = 'core.worker_state'").await;
    let (_, held) = registered(&system).await;
    report(&system, held, json!({})).await;
    system
        .run("INSERT INTO notice (trigger_ref, payload, created) VALUES ('demo.never', '{}', NOW() - INTERVAL '8 days')")
        .await;
    notices(&system).round().await.unwrap();
    assert_eq!((system.count(EVENTS).await, system.count("notice").await), (0, 0));
}

#[tokio::test]
async fn capabilities_of_every_shape_can_be_written() {
    let system = system().await;
    registered(&system).await;
    for hostile in [
        "NULL",
        "'7'",
        "'[]'",
        "'{\"runtimes\": 7, \"runtime_details\": [1]}'",
        "'{\"runtimes\": [null, 7, {\"b\": 1}, \"sound\"], \"runtime_details\": {\"a\": null, \"b\": 7, \"c\": {\"version\": []}}}'",
    ] {
        system.run(&format!("UPDATE worker SET capabilities = {hostile}")).await;
    }
    let last = system.value("SELECT payload FROM notice ORDER BY id DESC LIMIT 1").await;
    assert_eq!((&last["runtimes"], &last["versions"]["b"]), (&json!(["sound"]), &Value::Null));
    notices(&system).round().await.unwrap();
    assert_eq!(system.count("notice").await, 0);
}
