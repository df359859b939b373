//! Triggers, sensors and rules that have more events in a minute than they may. The clock stands still.

use attune_executor::ingest::{IngestError, NewEvent, Origin, Receipt, Refusal, SensorCommit, Submission};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::system::{PATIENCE, System, high};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// With two events a minute for what this statement names.
async fn with_limit(table: &str) -> System {
    let system = System::with_clock(noon).await;
    system.run(&format!("UPDATE {table} SET max_per_minute = 2")).await;
    system
}

async fn held(system: &System) -> Value {
    system.value("SELECT jsonb_agg(jsonb_build_array(kind, EXTRACT(EPOCH FROM since)::bigint, EXTRACT(EPOCH FROM until)::bigint)) FROM held").await
}

/// A poll of the sensor, as the sensor service commits it.
async fn poll(system: &System, events: Vec<NewEvent>) -> Receipt {
    let row = system.value("SELECT to_jsonb(s) FROM sensor s").await;
    let commit = SensorCommit {
        sensor: row["id"].as_i64().unwrap(),
        sensor_ref: "demo.cpu".to_owned(),
        max_per_minute: row["max_per_minute"].as_i64().map(|limit| i32::try_from(limit).unwrap()),
        polls: 1,
        heard: true,
        ..SensorCommit::default()
    };
    system.ingest.submit(Submission { origin: Origin::Sensor(commit), events }, PATIENCE).await.unwrap()
}

#[tokio::test]
async fn a_rule_fails_and_says_why_and_its_neighbours_fire() {
    let system = with_limit("rule").await;
    system
        .run(
            "INSERT INTO rule (ref, trigger, trigger_ref, action, action_ref, action_params)
             SELECT 'demo.other', trigger, trigger_ref, action, action_ref, action_params FROM rule",
        )
        .await;
    let receipt = system.post((50..55).map(high).collect()).await.unwrap();
    assert_eq!((receipt.enforcements, receipt.failed), (vec![2; 5], vec![0, 0, 1, 1, 1]));
    let failed = system
        .value("SELECT jsonb_agg(DISTINCT jsonb_build_array(rule_ref, reason)) FROM enforcement WHERE status = 'failed'")
        .await;
    let reason = "held: rule demo.tell_high acts on at most 2 events a minute (max_per_minute)";
    assert_eq!(failed, json!([["demo.tell_high", reason]]));
    let noon = noon().timestamp();
    assert_eq!(held(&system).await, json!([["rule", noon, noon + 60]]));
}

#[tokio::test]
async fn a_trigger_refuses_what_is_posted_and_what_was_refused_takes_nothing() {
    let system = with_limit("trigger").await;
    let refused = system.post((50..53).map(high).collect()).await;
    let Err(IngestError::Refused { index: 2, refusal: Refusal::Held(over) }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(over.to_string(), "held: trigger demo.high takes at most 2 events a minute (max_per_minute)");
    assert_eq!(system.post(vec![high(50), high(51)]).await.unwrap().enforcements, [1, 1]);
    assert!(system.post(vec![high(52)]).await.is_err());
    // A sensor's are set aside.
    let receipt = poll(&system, vec![high(53), NewEvent { trigger: "demo.low".to_owned(), ..high(1) }]).await;
    assert_eq!((receipt.rejected, receipt.events[1].is_some()), (1, true));
    assert_eq!(system.count("event").await, 3);
}

#[tokio::test]
async fn a_sensors_events_beyond_its_rate_are_set_aside() {
    let system = with_limit("sensor").await;
    let canary = NewEvent { trigger: "core.canary".to_owned(), payload: json!({}), ..high(0) };
    system.run("INSERT INTO trigger (ref) VALUES ('core.canary') ON CONFLICT DO NOTHING").await;
    let receipt = poll(&system, vec![high(50), high(51), high(52), canary]).await;
    assert_eq!(receipt.events.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, true]);
    let reasons = system.value("SELECT jsonb_agg(reason) FROM event_rejected").await;
    assert_eq!(
        reasons,
        json!(["held: sensor demo.cpu may bring at most 2 events a minute (max_per_minute)"])
    );
    assert_eq!(system.value("SELECT to_jsonb(rejected) FROM sensor_state").await, 1);
    assert_eq!(held(&system).await[0][0], "sensor");
}
