//! Triggers, sensors and rules that have more events in a minute than they may. The clock stands still.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use attune_executor::ingest::{
    IngestError, NewEvent, Origin, Receipt, Refusal, SensorCommit, SensorRate, Submission,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::system::{PATIENCE, System, high};

/// Late enough that keys are still in force by the clock of the database.
fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(4_102_444_800, 0).unwrap()
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

fn keyed(key: &str) -> NewEvent {
    NewEvent { key: Some(key.to_owned()), ..high(50) }
}

fn is_in(receipt: &Receipt) -> Vec<bool> {
    receipt.events.iter().map(Option::is_some).collect()
}

#[tokio::test]
async fn what_is_in_already_takes_nothing() {
    let system = with_limit("sensor").await;
    for (keys, expected, rejected) in [
        (["a"].as_slice(), [true].as_slice(), 0),
        (&["a", "b"], &[false, true], 0),
        (&["a", "b"], &[false, false], 0),
        (&["a", "b", "c"], &[false, false, false], 1),
    ] {
        let receipt = poll(&system, keys.iter().copied().map(keyed).collect()).await;
        assert_eq!((is_in(&receipt), receipt.rejected), (expected.to_vec(), rejected), "{keys:?}");
    }
}

/// Minutes since [`noon`], of one test.
static MINUTES: AtomicI64 = AtomicI64::new(0);

#[tokio::test]
async fn a_list_that_is_longer_than_the_rate_comes_in_bit_by_bit() {
    let system = System::with_clock(|| noon() + TimeDelta::minutes(MINUTES.load(Relaxed))).await;
    system.run("UPDATE sensor SET max_per_minute = 2").await;
    for minute in 0..4 {
        MINUTES.store(minute, Relaxed);
        let receipt = poll(&system, ["a", "b", "c", "d", "e"].map(keyed).into()).await;
        let is_new = |n: i64| n / 2 == minute;
        assert_eq!(is_in(&receipt), (0..5).map(is_new).collect::<Vec<_>>());
        assert_eq!(receipt.rejected, [3, 1, 0, 0][usize::try_from(minute).unwrap()]);
    }
}

#[tokio::test]
async fn what_the_runs_of_a_sensor_send_counts_as_what_it_brings() {
    let system = with_limit("sensor").await;
    let row = system.value("SELECT to_jsonb(s) FROM sensor s").await;
    let rate = SensorRate {
        sensor: row["id"].as_i64().unwrap(),
        sensor_ref: "demo.cpu".to_owned(),
        max_per_minute: Some(2),
    };
    let send = async |events| {
        let origin = Origin::SensorRun { source: "demo.cpu".to_owned(), rate: rate.clone() };
        system.ingest.submit(Submission { origin, events }, PATIENCE).await
    };
    assert_eq!(is_in(&send(vec![high(50)]).await.unwrap()), [true]);
    assert_eq!(is_in(&poll(&system, vec![high(51), high(52)]).await), [true, false]);
    let refused = send(vec![high(53)]).await;
    let Err(IngestError::Refused { index: 0, refusal }) = refused else { panic!("{refused:?}") };
    let reason = "held: sensor demo.cpu may bring at most 2 events a minute (max_per_minute)";
    assert_eq!(refusal.to_string(), reason);
    let sources = system.value("SELECT jsonb_agg(source) FROM event WHERE sensor IS NULL").await;
    assert_eq!(sources, json!(["demo.cpu"]));
}

#[tokio::test]
async fn who_does_not_wait_for_the_answer_has_taken_all_the_same() {
    let system = with_limit("trigger").await;
    let mut blocking = system.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE event IN EXCLUSIVE MODE").execute(&mut *blocking).await.unwrap();
    let ingest = system.ingest.clone();
    let posting = tokio::spawn(async move {
        let events = vec![high(50), high(51)];
        ingest.submit(Submission { origin: Origin::Post { source: None }, events }, PATIENCE).await
    });
    system.until_one_waits_for_a_lock().await;
    posting.abort();
    assert!(posting.await.unwrap_err().is_cancelled());
    blocking.commit().await.unwrap();
    while system.count("event").await < 2 {
        tokio::task::yield_now().await;
    }
    let refused = system.post(vec![high(52)]).await;
    assert!(matches!(refused, Err(IngestError::Refused { refusal: Refusal::Held(_), .. })), "{refused:?}");
}

#[tokio::test]
async fn of_many_that_are_held_a_few_are_stored_and_all_are_counted() {
    let system = with_limit("sensor").await;
    let receipt = poll(&system, (0..50).map(high).collect()).await;
    assert_eq!((receipt.events.iter().flatten().count(), receipt.rejected, receipt.duplicates), (2, 48, 0));
    assert_eq!(poll(&system, vec![high(50)]).await.rejected, 1);
    assert_eq!(system.count("event_rejected").await, 10);
    assert_eq!(system.value("SELECT to_jsonb(rejected) FROM sensor_state").await, 49);
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
