//! Canaries of streams.

use attune_executor::core_pack;
use sqlx::Row as _;

use super::stream;
use crate::fixture::Fixture;

/// All that is known of a sensor but where it stands in the agenda of the watch.
const ROW: &str = "SELECT (to_jsonb(s) - 'look_at')::text AS row FROM sensor_state s JOIN sensor d ON d.id = s.sensor WHERE d.ref = 'demo.s'";

/// As `attune canary demo.s` does it.
const WISH: &str =
    "INSERT INTO sensor_poke (sensor, canary) SELECT id, TRUE FROM sensor WHERE ref = 'demo.s'";

/// With the trigger of canaries.
async fn with_stream(code: &str) -> Fixture {
    let fixture = Fixture::with_streams(&[("s", code)]).await;
    core_pack::ensure_core_pack(fixture.pool()).await.unwrap();
    fixture
}

fn canaries(at_least: usize) -> String {
    format!("SELECT count(*) FROM event WHERE trigger_ref = 'core.canary' HAVING count(*) >= {at_least}")
}

#[tokio::test]
async fn nothing_of_a_silent_stream_moves_by_them() {
    let code = stream("hello; event 1; checkpoint 1; sleep 300");
    let fixture = with_stream(&code).await;
    fixture.execute("UPDATE sensor SET canary = 0.2 WHERE ref = 'demo.s'").await;
    let service = fixture.start().await;
    fixture.eventually(&canaries(1)).await;
    // Its first word is written within a second of it.
    fixture
        .eventually("SELECT FROM sensor_state WHERE last_tick < clock_timestamp() - INTERVAL '1500 ms'")
        .await;
    let before: String = fixture.eventually(ROW).await.get("row");
    let seen: i64 = fixture.eventually(&canaries(1)).await.get(0);
    fixture.eventually(&canaries(usize::try_from(seen).unwrap() + 5)).await;
    let after: String = fixture.eventually(ROW).await.get("row");
    assert_eq!(before, after);
    service.stop().await;
}

#[tokio::test]
async fn whoever_wishes_for_one_gets_one() {
    let fixture = with_stream("exec sleep 300").await;
    let service = fixture.start().await;
    fixture.status("s", "running").await;
    fixture.execute(WISH).await;
    fixture.eventually("SELECT FROM sensor_poke WHERE answered = 1 AND NOT canary").await;
    let sent: i64 = fixture.eventually(&canaries(1)).await.get(0);
    assert_eq!(sent, 1);
    service.stop().await;
}

#[tokio::test]
async fn one_that_waits_for_its_restart_is_started_and_then_sends_it() {
    let place = tempfile::tempdir().unwrap();
    let code = format!("[ -e {}/go ] || exit 3; exec sleep 300", place.path().display());
    let fixture = with_stream(&code).await;
    // After so many failures it waits for minutes.
    fixture.execute("UPDATE sensor_state SET failures = 20").await;
    let service = fixture.start().await;
    fixture.failing("s", "it exited with code 3%").await;
    std::fs::write(place.path().join("go"), "").unwrap();
    fixture.execute(WISH).await;
    fixture.eventually("SELECT FROM sensor_poke WHERE answered = 1 AND NOT canary").await;
    fixture.eventually(&canaries(1)).await;
    service.stop().await;
}

#[tokio::test]
async fn one_that_fails_says_so() {
    let fixture = with_stream("exit 3").await;
    fixture.execute("UPDATE sensor_state SET failures = 20").await;
    let service = fixture.start().await;
    fixture.failing("s", "it exited with code 3%").await;
    fixture.execute(WISH).await;
    fixture
        .eventually(
            "SELECT FROM sensor_poke WHERE answered = 1 AND outcome->>'error' LIKE 'it exited with code 3%'",
        )
        .await;
    service.stop().await;
    let sent: i64 =
        fixture.eventually("SELECT count(*) FROM event WHERE trigger_ref = 'core.canary'").await.get(0);
    assert_eq!(sent, 0);
}
