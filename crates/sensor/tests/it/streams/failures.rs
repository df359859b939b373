//! Each way to fail has a name, and none of them stops another stream.

use serde_json::json;
use sqlx::Row as _;

use super::stream;
use crate::fixture::Fixture;

#[tokio::test]
async fn each_way_to_fail_is_named_and_stops_nobody_else() {
    let ways = [
        (
            "ends",
            "echo out of pumps >&2; exit 0",
            "it exited with code 0, but a stream runs until it is told to stop: out of pumps",
        ),
        ("crashes", "kill -9 $$", "it was ended by signal 9, but a stream runs until it is told to stop"),
        (
            "reports",
            r#"echo '{"type":"error","message":"no disk","traceback":"line 3"}'; exit 1"#,
            "no disk\nline 3",
        ),
        ("mute", "exec >&-; sleep 300", "it closed its stdout and went on running"),
        ("talks", "echo all is well; sleep 300", "the output is not JSON (%): all is well"),
        ("polls", r#"echo '{"type":"done"}'; sleep 300"#, "%done%"),
        ("newer", r#"echo '{"type":"hello","protocol":2}'; sleep 300"#, "%only 1 is%"),
        ("sudden", "checkpoint 1; sleep 300", "%checkpoint%"),
        ("floods", "hello; yes '{\"type\":\"event\",\"payload\":{}}'", "%10000 events%"),
        (
            "endless",
            "head -c 20000000 /dev/zero | tr '\\0' x; sleep 300",
            "a line is longer than 10485760 bytes: %",
        ),
    ];
    let codes: Vec<String> = ways.iter().map(|(_, script, _)| stream(script)).collect();
    let good = stream("while :; do n=$((n + 1)); event $n; sleep 0.1; done");
    let mut streams: Vec<_> =
        ways.iter().zip(&codes).map(|((name, ..), code)| (*name, code.as_str())).collect();
    streams.push(("good", &good));
    let fixture = Fixture::with_streams(&streams).await;
    let service = fixture.start().await;
    for (name, _, error) in ways {
        fixture.failing(name, error).await;
    }
    let events: i64 = fixture.status("good", "running").await.get("events");
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {events} AND errors = 0")).await;
    service.stop().await;
}

#[tokio::test]
async fn failures_in_a_row_are_counted_and_the_next_try_is_told() {
    let fixture = Fixture::with_streams(&[("s", "exit 3")]).await;
    let service = fixture.start().await;
    fixture
        .eventually(
            "SELECT FROM sensor_state WHERE status = 'failing' AND failures = 3 AND errors = 3 AND polls = 0
             AND next_try - updated BETWEEN '2 s' AND '4 s'",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn who_is_killed_by_others_does_not_wait_for_minutes() {
    let stream = stream("kill -9 $$");
    let fixture = Fixture::with_streams(&[("s", &stream)]).await;
    fixture.execute("UPDATE sensor_state SET failures = 20").await;
    let service = fixture.start().await;
    fixture
        .eventually(
            "SELECT FROM sensor_state WHERE status = 'failing' AND failures = 21
             AND next_try - updated BETWEEN '5 s' AND '10 s'",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn who_recovers_runs_again() {
    let flag = tempfile::NamedTempFile::new().unwrap();
    let code = stream(&format!("event 1; [ ! -e {} ] || exit 1; sleep 300", flag.path().display()));
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture.failing("s", "it exited with code 1%").await;
    std::fs::remove_file(flag.path()).unwrap();
    let row = fixture.status("s", "running").await;
    assert!(row.get::<Option<&str>, _>("last_error").is_some_and(|error| error.contains("code 1")));
    service.stop().await;
}

#[tokio::test]
async fn who_sent_heartbeats_and_falls_silent_is_started_again() {
    let silent = stream("beat; event 1; sleep 300");
    let quiet = stream("event 1; sleep 300");
    let alive = stream("while :; do beat; sleep 0.2; done");
    let streams = [("silent", silent.as_str()), ("quiet", &quiet), ("alive", &alive)];
    let fixture = Fixture::with_streams(&streams).await;
    fixture.execute("UPDATE sensor SET timeout = 1.5").await;
    let service = fixture.start().await;
    fixture.failing("silent", "it was silent for 1.5 s, longer than its time limit allows").await;
    fixture.eventually("SELECT FROM event WHERE sensor_ref = 'demo.silent' HAVING count(*) = 2").await;
    for name in ["quiet", "alive"] {
        assert_eq!(fixture.status(name, "running").await.get::<i64, _>("errors"), 0);
    }
    service.stop().await;
}

#[tokio::test]
async fn what_is_no_event_is_set_aside_with_its_checkpoint() {
    let code = stream(
        r#"hello; event 1; echo '{"type":"event","payload":{"n":NaN}}'; event 2; checkpoint 2; sleep 300"#,
    );
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture
        .eventually("SELECT FROM sensor_state WHERE events = 2 AND rejected = 1 AND state = '{\"n\": 2}'")
        .await;
    assert_eq!(fixture.seen("s", "n").await, [json!(1), json!(2)]);
    service.stop().await;
}
