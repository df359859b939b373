//! What sensors take, by whatever way they are run. Who burns is held against who does not.

use serde_json::Value;
use sqlx::Row as _;

use crate::fixture::Fixture;
use crate::pack;

const IDLE: &str = "echo '{\"events\": []}'\n";
const BURNS: &str =
    "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo '{\"events\": [{\"n\": 1}, {\"n\": 2}]}'\n";
const FAILS: &str = "exit 3\n";
const HANGS: &str = "sleep 600\n";
const PYTHON_IDLE: &str = "
def poll_sensor(config):
    return [{'n': 1}]
";
/// Takes 0.3 s of the processor and keeps 60 MB.
const PYTHON_BURNS: &str = "
import time
kept = b'x' * 60_000_000
def poll_sensor(config):
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
    return [{'n': 1}]
";
const STREAM: &str = "echo '{\"type\":\"event\",\"payload\":{\"n\":1}}'
i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done
echo '{\"type\":\"event\",\"payload\":{\"n\":2}}'; sleep 600\n";

/// What is known of a sensor since ever, and what its own row says.
async fn used(fixture: &Fixture, sensor: &str) -> Value {
    let query = format!(
        "SELECT to_jsonb(u) || jsonb_build_object('polls', x.polls, 'errors', x.errors, 'committed', x.events)
         FROM sensor s JOIN sensor_state x ON x.sensor = s.id JOIN usage u ON u.id = s.id AND u.kind = 'sensor'
         WHERE s.ref = 'demo.{sensor}' AND u.period = 'ever'"
    );
    fixture.eventually(&query).await.get(0)
}

fn number(used: &Value, column: &str) -> i64 {
    used[column].as_i64().unwrap_or_else(|| panic!("{column} of {used}"))
}

/// Microseconds of the processor for each run.
fn each(used: &Value) -> i64 {
    number(used, "cpu_us") / number(used, "runs")
}

/// Each poll that the sensor's row counts was metered once.
fn assert_counted(used: &Value) {
    let ended = number(used, "runs") - number(used, "stopped");
    assert_eq!((ended, number(used, "failed")), (number(used, "polls"), number(used, "errors")), "{used}");
    assert_eq!(number(used, "events"), number(used, "committed"), "{used}");
}

#[tokio::test]
async fn plain_programs() {
    let drafts =
        [("idle", "core.shell", IDLE), ("burns", "core.shell", BURNS), ("fails", "core.shell", FAILS)];
    let fixture = Fixture::with_sensors(&drafts).await;
    let service = fixture.start().await;
    fixture.event_of("burns").await;
    fixture.failing("fails", "%code 3%").await;
    fixture.status("idle", "running").await;
    service.stop().await;
    let (idle, burns) = (used(&fixture, "idle").await, used(&fixture, "burns").await);
    let fails = used(&fixture, "fails").await;
    for used in [&idle, &burns, &fails] {
        assert_counted(used);
    }
    assert!(each(&burns) > 5 * each(&idle), "{burns} {idle}");
    let printed = i64::try_from("{\"events\": []}\n".len()).unwrap() * number(&idle, "polls");
    assert!(number(&idle, "output_bytes") >= printed && number(&idle, "peak_memory_bytes") > 0, "{idle}");
    assert!(number(&fails, "failed") > 0 && number(&fails, "timed_out") == 0, "{fails}");
}

#[tokio::test]
async fn who_takes_too_long() {
    let fixture = Fixture::with_sensors(&[("hangs", "core.shell", HANGS)]).await;
    fixture.execute("UPDATE sensor SET timeout = 0.3").await;
    let service = fixture.start().await;
    fixture.failing("hangs", "%time limit%").await;
    service.stop().await;
    let used = used(&fixture, "hangs").await;
    assert_counted(&used);
    assert_eq!(number(&used, "timed_out"), number(&used, "failed"));
    assert!(number(&used, "longest_us") >= 300_000, "{used}");
}

/// The same sensors in a fresh process each and in warm hosts.
#[tokio::test]
async fn programs_of_a_wrapper_and_of_a_host() {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    let drafts = [
        ("idle", PYTHON_IDLE),
        ("burns", PYTHON_BURNS),
        ("idle_apart", PYTHON_IDLE),
        ("burns_apart", PYTHON_BURNS),
    ];
    fixture.add_sensors(&drafts.map(|(name, code)| (name, "core.python", code))).await;
    fixture.execute("UPDATE sensor SET isolation = 'process' WHERE ref LIKE '%apart'").await;
    let service = fixture.start().await;
    for (name, _) in drafts {
        fixture.event_of(name).await;
    }
    service.stop().await;
    for apart in ["", "_apart"] {
        let idle = used(&fixture, &format!("idle{apart}")).await;
        let burns = used(&fixture, &format!("burns{apart}")).await;
        assert_counted(&idle);
        assert_counted(&burns);
        assert!(each(&burns) >= each(&idle) + 200_000, "{burns} {idle}");
        assert!(number(&burns, "peak_memory_bytes") > 60_000_000, "{burns}");
    }
    let (warm, apart) = (used(&fixture, "idle").await, used(&fixture, "idle_apart").await);
    assert!(each(&warm) * 2 < each(&apart), "{warm} {apart}");
    assert!(number(&apart, "peak_memory_bytes") < 60_000_000, "{apart}");
}

#[tokio::test]
async fn streams() {
    let fixture = Fixture::with_streams(&[("stream", STREAM)]).await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM event WHERE payload->'n' = '2'").await;
    service.stop().await;
    let used = used(&fixture, "stream").await;
    let counts = ["runs", "stopped", "events"].map(|column| number(&used, column));
    assert_eq!(counts, [1, 1, 2], "{used}");
    assert!(number(&used, "cpu_us") > 10_000 && number(&used, "peak_memory_bytes") > 0, "{used}");
    assert!(number(&used, "output_bytes") > 60, "{used}");
    assert!(number(&used, "wall_us") > number(&used, "cpu_us"), "{used}");
}
