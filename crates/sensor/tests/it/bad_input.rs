//! What sensors do wrong stays theirs: a named error on that sensor, and the others run on.

use crate::fixture::Fixture;

const GOOD: &str = "echo '{\"events\": [{\"good\": true}]}'";

#[tokio::test]
async fn each_bad_sensor_has_its_error_and_the_good_one_runs_on() {
    let bad = [
        ("garbage", "echo garbage", "%not JSON%garbage%"),
        ("nothing", "true", "%printed nothing%"),
        (
            "flood",
            "head -c 11000000 /dev/zero | tr '\\0' x",
            "it printed more than its limit of 10000000 bytes",
        ),
        ("nul", "printf 'a\\0b'", "%not JSON%"),
        ("half", "printf '{\"events\": [{\"a\": 1'", "%not JSON%"),
        ("keyless", "echo '{\"count\": 0}'", "%no `events`%"),
        ("latin", "printf '{\"events\": [\"\\344\"]}'", "%not UTF-8%"),
        ("exit", "echo the disk is gone >&2; exit 3", "it exited with code 3: the disk is gone"),
        ("hang", "sleep 300", "it ran longer than its time limit of 1 s"),
        (
            "escape",
            "setsid sh -c 'sleep 300 & sleep 300' & sleep 300",
            "it ran longer than its time limit of 1 s",
        ),
    ];
    let mut drafts: Vec<_> = bad.iter().map(|(name, code, _)| (*name, "core.shell", *code)).collect();
    drafts.push(("good", "core.shell", GOOD));
    let fixture = Fixture::with_sensors(&drafts).await;
    fixture.execute("UPDATE sensor SET timeout = 1 WHERE ref IN ('demo.hang', 'demo.escape')").await;
    let service = fixture.start().await;
    for (name, _, pattern) in bad {
        fixture.failing(name, pattern).await;
    }
    fixture.eventually("SELECT FROM event WHERE sensor_ref = 'demo.good' HAVING count(*) > 5").await;
    let others =
        sqlx::query("SELECT FROM event WHERE sensor_ref <> 'demo.good'").fetch_all(fixture.pool()).await;
    assert!(others.unwrap().is_empty());
    service.stop().await;
}

#[tokio::test]
async fn events_that_can_not_be_stored_are_set_aside_singly() {
    let code = r#"cat "$(dirname "$0")/output.json""#;
    let output = r#"{"events": [{"n": 1}, {"s": "\u0000"}, {"s": "\ud800"}, {"n": 1e999}, 7, {"n": 2}]}"#;
    let fixture = Fixture::new().await;
    fixture.add_sensors(&[("mixed", "core.shell", code), ("output.json", "core.shell", output)]).await;
    fixture.execute("UPDATE sensor SET enabled = FALSE WHERE ref = 'demo.output.json'").await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM event WHERE payload->>'n' = '1'").await;
    fixture.eventually("SELECT FROM event WHERE payload->>'n' = '2'").await;
    for reason in ["%u0000%", "%surrogate%", "%out of range%", "%not a JSON object%"] {
        fixture
            .eventually(&format!(
                "SELECT FROM event_rejected WHERE sensor_ref = 'demo.mixed' AND reason LIKE '{reason}'"
            ))
            .await;
    }
    fixture.eventually("SELECT FROM sensor_state WHERE status = 'running' AND rejected >= 4").await;
    service.stop().await;
}

#[tokio::test]
async fn a_held_pipe_and_a_closed_stdin_are_no_errors() {
    let fixture = Fixture::with_sensors(&[
        ("holder", "core.shell", "sleep 300 & echo '{\"events\": [{}]}'"),
        ("deaf", "core.shell", "exec <&-; echo '{\"events\": [{}]}'"),
    ])
    .await;
    fixture.execute("UPDATE sensor SET config = jsonb_build_object('big', repeat('x', 200000))").await;
    let service = fixture.start().await;
    fixture.event_of("holder").await;
    fixture.event_of("deaf").await;
    service.stop().await;
}

#[tokio::test]
async fn an_event_that_breaks_its_triggers_schema_is_set_aside() {
    let fixture =
        Fixture::with_sensors(&[("free", "core.shell", "echo '{\"events\": [{\"n\": \"x\"}, {\"n\": 1}]}'")])
            .await;
    fixture
        .execute(r#"UPDATE trigger SET payload_schema = '{"properties": {"n": {"type": "integer"}}}'"#)
        .await;
    let service = fixture.start().await;
    fixture.event_of("free").await;
    fixture
        .eventually(
            "SELECT FROM event_rejected WHERE trigger_ref = 'demo.seen' AND reason LIKE 'payload: n: %'",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn ten_hanging_sensors_do_not_delay_the_others() {
    let names: Vec<String> = (0..10).map(|n| format!("hang{n}")).collect();
    let mut drafts: Vec<_> = names.iter().map(|name| (name.as_str(), "core.shell", "sleep 300")).collect();
    drafts.push(("good", "core.shell", GOOD));
    let fixture = Fixture::with_sensors(&drafts).await;
    let mut config = fixture.config("s");
    config.sensor.as_mut().unwrap().max_concurrent_sensors = 10;
    let service = fixture.service(config);
    service.start().await.unwrap();
    // All ten hang, each for its 30 seconds.
    fixture.eventually("SELECT FROM sensor_state WHERE worker IS NOT NULL HAVING count(*) = 11").await;
    fixture.eventually("SELECT FROM event WHERE sensor_ref = 'demo.good' HAVING count(*) >= 10").await;
    // Ten places, ten that hang: had the good one waited for a place, one of the hangs would be over.
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON sensor.id = sensor WHERE ref LIKE 'demo.hang%' HAVING sum(polls + failures) = 0",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_failing_sensor_backs_off_and_recovers() {
    let flag = tempfile::tempdir().unwrap();
    let code = format!("[ -e {0}/ok ] || {{ echo no >&2; exit 1; }}\n{GOOD}", flag.path().display());
    let fixture = Fixture::with_sensors(&[("moody", "core.shell", &code)]).await;
    let service = fixture.start().await;
    fixture
        .eventually("SELECT FROM sensor_state WHERE failures >= 3 AND next_try > updated AND events = 0")
        .await;
    std::fs::write(flag.path().join("ok"), "").unwrap();
    fixture
        .eventually("SELECT FROM sensor_state WHERE status = 'running' AND failures = 0 AND next_try IS NULL")
        .await;
    fixture.event_of("moody").await;
    service.stop().await;
}
