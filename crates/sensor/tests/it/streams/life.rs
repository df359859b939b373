//! Starting, running and stopping.

use attune_common::config::SensorConfig;
use serde_json::json;
use sqlx::Row as _;

use super::{lines, stream};
use crate::fixture::Fixture;
use crate::ownership::until;

#[tokio::test]
async fn without_checkpoints_events_are_committed_as_they_come() {
    let code = stream("event 1; event 2; sleep 300");
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    let row = fixture.eventually("SELECT * FROM sensor_state WHERE events = 2 AND status = 'running'").await;
    assert_eq!((row.get::<i64, _>("polls"), row.get::<i32, _>("failures")), (0, 0));
    assert_eq!(fixture.seen("s", "n").await, [json!(1), json!(2)]);
    service.stop().await;
    fixture.eventually("SELECT FROM sensor_state WHERE worker IS NULL AND errors = 0").await;
}

#[tokio::test]
async fn a_stream_that_says_nothing_runs() {
    let fixture = Fixture::with_streams(&[("s", "exec sleep 300")]).await;
    let service = fixture.start().await;
    fixture.status("s", "running").await;
    service.stop().await;
}

#[tokio::test]
async fn it_is_told_what_it_has_to_know() {
    let code = r#"read -r start
        printf '{"type":"event","payload":{"start":%s,"context":%s}}\n' "$start" "$(cat "$SENSOR_CONTEXT")"
        sleep 300"#;
    let fixture = Fixture::with_streams(&[("s", code)]).await;
    fixture.execute(r#"UPDATE sensor SET config = '{"path": "/x"}'"#).await;
    let service = fixture.start().await;
    let payload = fixture.event_of("s").await.get::<serde_json::Value, _>("payload");
    let start = json!({"type": "start", "protocol": 1, "sensor": "demo.s", "config": {"path": "/x"}, "state": {},
        "triggers": ["demo.seen"], "trigger_params": []});
    assert_eq!(payload["start"], start);
    let context = json!({"ref": "demo.s", "sensor": "demo.s", "mode": "stream", "config": {"path": "/x"}, "state": {},
        "triggers": ["demo.seen"], "trigger_params": []});
    assert_eq!(payload["context"], context);
    service.stop().await;
}

#[tokio::test]
async fn a_disabled_stream_finishes_and_its_last_checkpoint_counts() {
    let code = stream(
        "hello; event 1; checkpoint 1\nwhile read -r line; do case $line in *stop*) event 2; checkpoint 2; exit;; esac; done",
    );
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture.event_of("s").await;
    fixture.execute("UPDATE sensor SET enabled = FALSE").await;
    let row = fixture.status("s", "stopped").await;
    assert_eq!(row.get::<serde_json::Value, _>("state"), json!({"n": 2}));
    assert_eq!((row.get::<i64, _>("errors"), row.get::<Option<i64>, _>("worker")), (0, None));
    assert_eq!(fixture.seen("s", "n").await, [json!(1), json!(2)]);
    service.stop().await;
}

#[tokio::test]
async fn who_does_not_stop_is_ended_with_all_that_it_started() {
    let place = tempfile::tempdir().unwrap();
    let pids = place.path().join("pids");
    let code = format!(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ >> {0}; while :; do sleep 1; done' & echo $$ >> {0}
         while :; do sleep 1; done",
        pids.display()
    );
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    let started = until(|| (lines(&pids).len() == 2).then(|| lines(&pids))).await;
    service.stop().await;
    for pid in started {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}

#[tokio::test]
async fn no_more_run_than_may_and_the_next_one_starts_when_there_is_room() {
    let code = stream("event 1; sleep 300");
    let fixture = Fixture::with_streams(&[("a", &code), ("b", &code)]).await;
    let mut config = fixture.config("s");
    config.sensor = config.sensor.map(|sensor| SensorConfig { max_streams: 1, ..sensor });
    let service = fixture.service(config);
    service.start().await.unwrap();
    let row = fixture
        .eventually(
            "SELECT ref FROM sensor_state JOIN sensor ON id = sensor WHERE status = 'starting'
             AND reason = 'this worker runs 1 streams, and may run no more (sensor.max_streams)'",
        )
        .await;
    let (waits, runs) = if row.get::<&str, _>(0) == "demo.a" { ("a", "b") } else { ("b", "a") };
    fixture.status(runs, "running").await;
    fixture.execute(&format!("UPDATE sensor SET enabled = FALSE WHERE ref = 'demo.{runs}'")).await;
    fixture.event_of(waits).await;
    service.stop().await;
}
