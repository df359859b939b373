//! The laboratory's ledger against the real thing: the same commits, once into each.

use attune_common::repositories::sensor::SensorRow;
use attune_executor::unloaded::Library;
use attune_runtimes::pack_directory::PackDirectory;
use attune_sensor::workbench::{Admission, Ledger};
use attune_sensor::{PollOutput, Sensor};
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::fixture::Fixture;

const SCHEMA: &str = r#"{"properties": {"n": {"type": "integer"}}}"#;

/// Commits, each with its events and its state.
fn commits() -> Vec<(Vec<Value>, Option<Value>)> {
    let long = "k".repeat(2000);
    vec![
        (vec![json!({"n": 1, "event_key": "a"}), json!({"n": 2})], Some(json!({"at": 1}))),
        (vec![json!({"n": 3, "event_key": "a"}), json!({"n": 4, "event_key": "b"})], None),
        // Of one key in one commit the first counts.
        (vec![json!({"n": 5, "event_key": "c"}), json!({"n": 6, "event_key": "c"})], Some(json!({"at": 3}))),
        // What is set aside takes its key from the second, but only in its own commit.
        (vec![json!({"n": "x", "event_key": "d"}), json!({"n": 7, "event_key": "d"}), json!({"n": 8})], None),
        (vec![json!({"n": 9, "event_key": "d"})], None),
        (vec![json!({"n": 10, "event_key": long}), json!({"n": 11, "event_type": "nobody"})], None),
        (vec![], Some(json!({"at": 7}))),
    ]
}

/// A stream that sends these commits, each when the one before is in.
fn stream() -> String {
    let mut lines =
        vec![r#"echo '{"type":"hello","protocol":1,"checkpoints":true}'; read -r start"#.to_owned()];
    for (events, state) in commits() {
        lines.extend(events.iter().map(|event| format!(r#"echo '{{"type":"event","payload":{event}}}'"#)));
        let state = state.map_or_else(String::new, |state| format!(r#","state":{state}"#));
        lines.push(format!(r#"echo '{{"type":"checkpoint","id":1{state}}}'; read -r ack"#));
    }
    lines.push("sleep 300".to_owned());
    lines.join("\n")
}

/// The same into the ledger of a sensor with the same trigger: what is stored, and how much was set aside.
fn into_ledger(ledger: &mut Ledger) -> (Vec<Value>, Vec<Vec<u8>>) {
    let entries = commits()
        .into_iter()
        .map(|(events, state)| ledger.commit(PollOutput { events, state, ..PollOutput::default() }));
    entries.fold((Vec::new(), Vec::new()), |(mut stored, mut set_aside), entry| {
        stored.extend(entry.stored);
        set_aside.extend(entry.set_aside);
        (stored, set_aside)
    })
}

fn ledger() -> Ledger {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("triggers")).unwrap();
    std::fs::write(directory.path().join("pack.yaml"), "ref: demo\nname: Demo\nversion: 1.0.0\n").unwrap();
    let trigger = format!("ref: demo.seen\npayload_schema: {SCHEMA}\n");
    std::fs::write(directory.path().join("triggers/seen.yaml"), trigger).unwrap();
    let own = PackDirectory::read(directory.path()).unwrap();
    let sensor = Sensor::new(SensorRow {
        id: 1,
        r#ref: "demo.s".to_owned(),
        runtime: None,
        runtime_ref: None,
        entrypoint: String::new(),
        config: json!({}),
        param_schema: json!({}),
        mode: "stream".to_owned(),
        isolation: None,
        sandbox: None,
        poll_interval: None,
        timeout: None,
        missed: String::new(),
        jitter: None,
        canary: None,
        limits: json!({}),
        api: Value::Null,
        max_per_minute: None,
        pause_after: None,
        pack_digest: None,
        triggers: vec!["demo.seen".to_owned()],
        version: 0,
        fault: None,
    });
    let library = Library::new(Some(&own), None).unwrap();
    let admission = Admission::of(&library, &sensor).unwrap();
    Ledger::new(sensor, admission)
}

#[tokio::test]
async fn the_ledger_keeps_the_rules_of_the_database() {
    let fixture = Fixture::with_streams(&[("s", &stream())]).await;
    fixture.execute(&format!("UPDATE trigger SET payload_schema = '{SCHEMA}'")).await;
    let service = fixture.start().await;
    let row =
        fixture.eventually("SELECT state, duplicates FROM sensor_state WHERE state = '{\"at\": 7}'").await;
    service.stop().await;
    let events = sqlx::query_scalar::<_, Value>("SELECT payload FROM event ORDER BY id");
    let rejected = sqlx::query_scalar::<_, Vec<u8>>("SELECT raw FROM event_rejected ORDER BY id");
    let (events, rejected) =
        (events.fetch_all(fixture.pool()).await.unwrap(), rejected.fetch_all(fixture.pool()).await.unwrap());

    let mut ledger = ledger();
    let (stored, set_aside) = into_ledger(&mut ledger);
    assert_eq!(stored, events);
    let parsed = |all: Vec<Vec<u8>>| -> Vec<Value> {
        all.iter().map(|raw| serde_json::from_slice(raw).unwrap()).collect()
    };
    assert_eq!(parsed(set_aside), parsed(rejected));
    assert_eq!(ledger.state(), &row.get::<Value, _>("state"));
    assert_eq!(i64::try_from(ledger.duplicates()), Ok(row.get::<i64, _>("duplicates")));
    // Not for want of cases.
    assert_eq!((events.len(), ledger.duplicates()), (7, 3));
}
