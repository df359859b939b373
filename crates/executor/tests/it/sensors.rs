//! What sensors commit: events, state and counters together, under the fence.

use attune_executor::ingest::{IngestError, NewEvent, Origin, Receipt, SensorCommit, Submission};
use serde_json::{Value, json};

use crate::system::{PATIENCE, System, high};

async fn sensor_id(system: &System) -> i64 {
    system.value("SELECT to_jsonb(id) FROM sensor").await.as_i64().unwrap()
}

pub(crate) async fn commit(
    system: &System,
    epoch: i64,
    events: Vec<NewEvent>,
) -> Result<Receipt, IngestError> {
    let commit = SensorCommit {
        sensor: sensor_id(system).await,
        sensor_ref: "demo.cpu".to_owned(),
        epoch,
        state: Some(json!({ "seen": events.len() })),
        polls: 1,
        lateness_ms: Some(3),
        heard: true,
        ..SensorCommit::default()
    };
    system.ingest.submit(Submission { origin: Origin::Sensor(commit), events }, PATIENCE).await
}

async fn state(system: &System) -> Value {
    system
        .value(
            "SELECT jsonb_build_array(state, polls, events, duplicates, rejected, status) FROM sensor_state",
        )
        .await
}

#[tokio::test]
async fn events_state_and_counters_go_in_together() {
    let system = System::with_demo().await;
    let keyed = || NewEvent { key: Some("k".to_owned()), ..high(50) };
    let receipt = commit(&system, 0, vec![keyed(), keyed(), high(3)]).await.unwrap();
    assert_eq!((receipt.duplicates, receipt.enforcements.iter().sum::<usize>()), (1, 1));
    assert_eq!(state(&system).await, json!([{"seen": 3}, 1, 2, 1, 0, "running"]));
    let sensors = system.value("SELECT jsonb_agg(DISTINCT sensor_ref) FROM event").await;
    assert_eq!(sensors, json!(["demo.cpu"]));
}

#[tokio::test]
async fn who_says_nothing_but_a_canary_stays_as_it_was_and_is_fenced_like_all() {
    let system = System::with_demo().await;
    commit(&system, 0, vec![high(50)]).await.unwrap();
    let row = "SELECT to_jsonb(sensor_state) FROM sensor_state";
    let before = system.value(row).await;
    let submit = async |epoch| {
        let (sensor, sensor_ref) = (sensor_id(&system).await, "demo.cpu".to_owned());
        let commit = SensorCommit { sensor, sensor_ref, epoch, ..SensorCommit::default() };
        system
            .ingest
            .submit(Submission { origin: Origin::Sensor(commit), events: vec![high(51)] }, PATIENCE)
            .await
    };
    assert_eq!(submit(0).await.unwrap().events.len(), 1);
    assert_eq!(system.value(row).await, before);
    assert!(matches!(submit(1).await, Err(IngestError::Fenced { .. })));
    assert_eq!(system.count("event").await, 2);
}

#[tokio::test]
async fn a_sensor_that_was_taken_over_commits_nothing_and_its_neighbours_all() {
    let system = System::with_demo().await;
    system.run("UPDATE sensor_state SET epoch = 7").await;
    let (stale, current, posted) = tokio::join!(
        commit(&system, 6, vec![high(50)]),
        commit(&system, 7, vec![high(51)]),
        system.post(vec![high(52)])
    );
    assert!(matches!(stale, Err(IngestError::Fenced { .. })), "{stale:?}");
    assert!(current.is_ok() && posted.is_ok());
    let values = system.value("SELECT jsonb_agg(payload -> 'value' ORDER BY payload) FROM event").await;
    assert_eq!(values, json!([51, 52]));
    assert_eq!(state(&system).await[1], 1);
}

#[tokio::test]
async fn posts_and_sensors_do_not_share_keys() {
    let system = System::with_demo().await;
    let keyed = || vec![NewEvent { key: Some("k".to_owned()), ..high(50) }];
    let post = Submission { origin: Origin::Post { source: Some("demo.cpu".to_owned()) }, events: keyed() };
    system.ingest.submit(post, PATIENCE).await.unwrap();
    assert_eq!(commit(&system, 0, keyed()).await.unwrap().duplicates, 0);
}
