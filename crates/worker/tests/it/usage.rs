//! What actions take.

use attune_executor::cancel::cancel_execution;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::fixture::{Fixture, state};
use crate::pack;

/// Burns, fails or waits, as it is told.
const ACTION: &str = "#!/bin/sh
params=$(cat)
case $params in
  *burn*) i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo burnt ;;
  *fail*) exit 1 ;;
  *wait*) echo waiting >&2; sleep 600 ;;
esac
";

async fn used(fixture: &Fixture) -> Value {
    let all = "SELECT to_jsonb(u) FROM usage u WHERE kind = 'action' AND period = 'ever'";
    fixture.eventually(all).await.get(0)
}

#[tokio::test]
async fn attempts_are_counted_by_their_end() {
    let fixture = Fixture::with_action("core.shell", ACTION).await;
    let service = fixture.start().await;
    fixture.run(json!({})).await;
    for _ in 0..2 {
        fixture.run(json!({"do": "fail"})).await;
    }
    let id = fixture.request(json!({"do": "wait"})).await;
    fixture.eventually(&format!("SELECT FROM log WHERE execution = {id}")).await;
    cancel_execution(fixture.pool(), &fixture.hints, id).await.unwrap();
    assert_eq!(state(&fixture.ended(id).await), "cancelled");
    service.stop().await;
    let used = used(&fixture).await;
    let counts =
        ["runs", "failed", "timed_out", "stopped", "metered"].map(|column| used[column].as_i64().unwrap());
    assert_eq!(counts, [4, 2, 0, 1, 4], "{used}");
    assert_eq!(used["output_bytes"], "waiting\n".len());
}

#[tokio::test]
async fn the_work_of_a_program_shows() {
    let mut cpu = Vec::new();
    for params in [json!({}), json!({"do": "burn"})] {
        let fixture = Fixture::with_action("core.shell", ACTION).await;
        let service = fixture.start().await;
        fixture.run(params).await;
        service.stop().await;
        let used = used(&fixture).await;
        assert!(used["peak_memory_bytes"].as_i64() > Some(100_000), "{used}");
        cpu.push(used["cpu_us"].as_i64().unwrap());
    }
    assert!(cpu[1] > 5 * cpu[0], "{cpu:?}");
}

/// Takes 0.3 s of the processor.
const PYTHON_BURNS: &str = "
import time
def run():
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
    return 'burnt'
";

#[tokio::test]
async fn the_work_within_a_host_shows() {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    fixture.add_action("core.python", PYTHON_BURNS).await;
    fixture.execute("UPDATE action SET isolation = 'warm'").await;
    let service = fixture.start().await;
    for _ in 0..2 {
        assert_eq!(state(&fixture.run(json!({})).await), "succeeded");
    }
    service.stop().await;
    let used = used(&fixture).await;
    assert_eq!((&used["runs"], &used["metered"]), (&json!(2), &json!(2)), "{used}");
    assert!(used["cpu_us"].as_i64() >= Some(600_000), "{used}");
    assert!(used["peak_memory_bytes"].as_i64() > Some(1_000_000), "{used}");
}
