//! What is committed together, and when a stream hears of it.

use std::time::Duration;

use attune_testkit::trial::rounds;
use serde_json::json;
use sqlx::Row as _;

use super::{lines, stream};
use crate::fixture::Fixture;
use crate::ownership::until;

#[tokio::test]
async fn events_and_state_go_in_together_and_then_comes_the_ack() {
    let code = stream("hello; event 1; event 2; checkpoint 7; read -r ack; printf '{\"type\":\"event\",\"payload\":{\"ack\":%s}}\\n' \"$ack\"
        checkpoint 8; event 3; event 4; beat; sleep 300");
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    let row = fixture.eventually("SELECT * FROM sensor_state WHERE state = '{\"n\": 8}'").await;
    assert_eq!(row.get::<i64, _>("events"), 3);
    let ack = json!({"type": "ack", "checkpoint": 7});
    assert_eq!(fixture.seen("s", "ack").await, [ack]);
    service.stop().await;
    // No checkpoint followed these.
    fixture.eventually("SELECT FROM sensor_state WHERE events = 3 AND worker IS NULL").await;
}

#[tokio::test]
async fn it_goes_on_from_what_was_committed() {
    let code = stream("hello; event $((n + 1)); checkpoint $((n + 1)); event lost; read -r ack; exit 1");
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM sensor_state WHERE state = '{\"n\": 3}' AND errors >= 2").await;
    service.stop().await;
    let seen = fixture.seen("s", "n").await;
    assert_eq!(seen, (1..=seen.len()).map(|n| json!(n)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_database_that_hangs_stops_the_program_and_nothing_is_lost() {
    let place = tempfile::tempdir().unwrap();
    let tape = place.path().join("tape");
    let code = stream(&format!(
        "hello; beat; while :; do n=$((n + 1)); echo $n >> {}; event $n; checkpoint $n; done",
        tape.display()
    ));
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    // Its watchdog is armed and shorter than the database is away.
    fixture.execute("UPDATE sensor SET timeout = 1").await;
    let service = fixture.start().await;
    fixture.event_of("s").await;

    fixture.freeze(true).await;
    let stopped = until(|| {
        let before = lines(&tape).len();
        std::thread::sleep(Duration::from_millis(2500));
        (lines(&tape).len() == before).then_some(before)
    })
    .await;
    fixture.freeze(false).await;
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {stopped} + 1000")).await;
    fixture.execute("UPDATE sensor SET enabled = FALSE").await;
    let row = fixture.status("s", "stopped").await;
    assert_eq!(row.get::<i64, _>("errors"), 0);
    service.stop().await;
    let seen = fixture.seen("s", "n").await;
    assert_eq!(row.get::<serde_json::Value, _>("state"), json!({"n": seen.len()}));
    assert_eq!(seen, (1..=seen.len()).map(|n| json!(n)).collect::<Vec<_>>());
}

#[tokio::test]
async fn after_kill_9_of_the_worker_at_any_moment_nothing_is_lost_or_doubled() {
    let code = stream(
        "hello; while :; do event $((n + 1)); event $((n + 2)); n=$((n + 2)); checkpoint $n; read -r ack; done",
    );
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    for kill in (0..).take(rounds(12)) {
        let mut victim = fixture.spawn("s", &[]);
        let events: i64 = fixture.eventually("SELECT events FROM sensor_state").await.get(0);
        let more = events + 2 * kill;
        fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {more}")).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    let service = fixture.start().await;
    let events: i64 = fixture.eventually("SELECT events FROM sensor_state").await.get(0);
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {events}")).await;
    service.stop().await;
    let seen = fixture.seen("s", "n").await;
    assert_eq!(seen, (1..=seen.len()).map(|n| json!(n)).collect::<Vec<_>>());
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE state = '{{\"n\": {}}}'", seen.len())).await;
}
