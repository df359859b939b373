//! Ticks that somebody wants now.

use std::path::Path;

use sqlx::Row as _;

use crate::fixture::Fixture;
use crate::ownership::until;

/// As an operator does it who has nothing but SQL.
const POKE: &str = "INSERT INTO sensor_poke AS p (sensor) SELECT id FROM sensor
    ON CONFLICT (sensor) DO UPDATE SET asked = p.asked + 1";

/// Each poll leaves a line, and then waits until there is a file `go`.
fn waits(place: &Path) -> String {
    format!(
        "echo poll >> {0}/tape; while [ ! -e {0}/go ]; do sleep 0.02; done; echo '{{\"events\": [{{}}]}}'",
        place.display()
    )
}

fn polls(place: &Path) -> usize {
    std::fs::read_to_string(place.join("tape")).unwrap_or_default().lines().count()
}

/// Sensors that tick once an hour, and have ticked.
async fn hourly(names: &[&str], code: &str) -> Fixture {
    let drafts: Vec<_> = names.iter().map(|name| (*name, "core.shell", code)).collect();
    let fixture = Fixture::with_sensors(&drafts).await;
    fixture.execute("UPDATE sensor SET poll_interval = 3600, timeout = 300").await;
    fixture
}

async fn all_polled(fixture: &Fixture, polls: i64) {
    fixture.eventually(&format!("SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE pack_ref = 'demo' HAVING bool_and(polls = {polls})")).await;
}

#[tokio::test]
async fn whoever_runs_it_polls_it_now_and_says_what_came() {
    let fixture = hourly(&["a", "b", "c", "d", "e", "f"], "echo '{\"events\": [{}, {}]}'").await;
    let (first, second) = (fixture.start_as("first").await, fixture.start_as("second").await);
    fixture
        .eventually(
            "SELECT FROM sensor_state WHERE polls > 0 HAVING count(*) = 6 AND count(DISTINCT worker) = 2",
        )
        .await;
    let before: i64 = fixture.eventually("SELECT sum(polls)::bigint FROM sensor_state").await.get(0);
    fixture.execute(POKE).await;
    fixture
        .eventually(
            "SELECT FROM sensor_poke WHERE asked = 1 AND answered = 1 AND outcome->>'events' = '2'
             AND outcome->'error' = 'null' AND answered_at >= asked_at HAVING count(*) = 6",
        )
        .await;
    fixture.eventually(&format!("SELECT FROM sensor_state HAVING sum(polls) = {before} + 6")).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_hundred_wishes_during_a_poll_are_a_poll_or_two_and_never_a_hundred() {
    let place = tempfile::tempdir().unwrap();
    let fixture = hourly(&["s"], &waits(place.path())).await;
    let service = fixture.start().await;
    until(|| (polls(place.path()) == 1).then_some(())).await;
    for _ in 0..100 {
        fixture.execute(POKE).await;
    }
    std::fs::write(place.path().join("go"), "").unwrap();
    fixture.eventually("SELECT FROM sensor_poke WHERE answered = 100").await;
    service.stop().await;
    // The manager may have heard of some of them only when the next poll began.
    assert!((2..=3).contains(&polls(place.path())), "{}", polls(place.path()));
}

#[tokio::test]
async fn one_that_fails_is_tried_at_once() {
    let place = tempfile::tempdir().unwrap();
    let code = format!("[ -e {}/go ] || exit 3; echo '{{\"events\": []}}'", place.path().display());
    let fixture = hourly(&["s"], &code).await;
    let service = fixture.start().await;
    fixture.failing("s", "it exited with code 3").await;
    fixture.execute(POKE).await;
    fixture
        .eventually(
            "SELECT FROM sensor_poke WHERE answered = 1 AND outcome->>'error' = 'it exited with code 3'",
        )
        .await;
    std::fs::write(place.path().join("go"), "").unwrap();
    fixture.execute(POKE).await;
    fixture.eventually("SELECT FROM sensor_poke WHERE answered = 2 AND outcome->'error' = 'null'").await;
    fixture.status("s", "running").await;
    service.stop().await;
}

#[tokio::test]
async fn a_wish_outlives_the_owner() {
    let place = tempfile::tempdir().unwrap();
    let fixture = hourly(&["s"], &waits(place.path())).await;
    let mut victim = fixture.spawn("s", &[]);
    until(|| (polls(place.path()) == 1).then_some(())).await;
    fixture.execute(POKE).await;
    victim.kill().unwrap();
    victim.wait().unwrap();
    // What is left of its lease is waited for.
    fixture.execute("UPDATE worker SET lease_until = clock_timestamp()").await;
    std::fs::write(place.path().join("go"), "").unwrap();
    // It has ticked lately, so nobody but who wants it now has the next owner poll it.
    fixture.execute("UPDATE sensor_state SET last_tick = clock_timestamp()").await;
    let service = fixture.start_as("another").await;
    fixture.eventually("SELECT FROM sensor_poke WHERE answered = 1").await;
    all_polled(&fixture, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn a_stream_that_waits_is_started_at_once() {
    let place = tempfile::tempdir().unwrap();
    let code = format!("[ -e {}/go ] || exit 3; exec sleep 300", place.path().display());
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    // After so many failures it waits for minutes.
    fixture.execute("UPDATE sensor_state SET failures = 20").await;
    let service = fixture.start().await;
    fixture.failing("s", "it exited with code 3%").await;
    std::fs::write(place.path().join("go"), "").unwrap();
    fixture.execute(POKE).await;
    fixture.status("s", "running").await;
    fixture.eventually("SELECT FROM sensor_poke WHERE answered = 1").await;
    service.stop().await;
}
