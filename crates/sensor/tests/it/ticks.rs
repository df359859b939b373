//! Polls without events: written by and by, and never against what was committed.

use std::path::{Path, PathBuf};

use attune_common::config::SensorConfig;
use sqlx::Row as _;
use tempfile::TempDir;

use crate::fixture::Fixture;

/// A sensor that counts its polls, writes each on a tape with its time in milliseconds, and reports those that `report` divides.
struct Counter {
    fixture: Fixture,
    place: TempDir,
}

impl Counter {
    async fn new(report: u32) -> Self {
        let place = tempfile::tempdir().unwrap();
        let code = format!(
            r#"n=$(sed 's/.*"state":{{"n":\([0-9]*\)}}.*/\1/; t; s/.*/0/' "$SENSOR_CONTEXT")
            n=$((n + 1))
            echo "$n $(date +%s%3N)" >> {}
            [ $((n % {report})) = 0 ] && event="{{\"n\": $n}}"
            echo "{{\"events\": [$event], \"state\": {{\"n\": $n}}}}""#,
            place.path().join("tape").display()
        );
        let fixture = Fixture::with_sensors(&[("counter", "core.shell", &code)]).await;
        Self { fixture, place }
    }

    /// Each poll, with its time.
    fn tape(&self) -> Vec<(i64, i64)> {
        read(&self.place.path().join("tape"))
    }

    /// What the sensor remembers by the database, and the polls that it counts.
    async fn row(&self) -> (i64, i64) {
        let row = self
            .fixture
            .eventually(
                "SELECT COALESCE((state->>'n')::bigint, 0) AS n, polls FROM sensor_state JOIN sensor ON id = sensor
                 WHERE pack_ref = 'demo'",
            )
            .await;
        (row.get("n"), row.get("polls"))
    }

    async fn events(&self) -> Vec<i64> {
        let query = "SELECT (payload->>'n')::bigint AS n FROM event ORDER BY id";
        let rows = sqlx::query(query).fetch_all(self.fixture.pool()).await.unwrap();
        rows.iter().map(|row| row.get("n")).collect()
    }
}

fn read(tape: &Path) -> Vec<(i64, i64)> {
    let text = std::fs::read_to_string(PathBuf::from(tape)).unwrap_or_default();
    let number = |word: Option<&str>| word?.parse::<i64>().ok();
    let line = |line: &str| {
        let mut words = line.split(' ');
        Some((number(words.next())?, number(words.next())?))
    };
    text.lines().filter_map(line).collect()
}

fn every(report: i64, events: usize) -> Vec<i64> {
    (1..=i64::try_from(events).unwrap()).map(|n| n * report).collect()
}

#[tokio::test]
async fn polls_without_events_show_the_sensor_running_and_are_kept_with_its_state() {
    let counter = Counter::new(1_000_000).await;
    let service = counter.fixture.start().await;
    counter
        .fixture
        .eventually("SELECT FROM sensor_state WHERE status = 'running' AND polls > 3 AND lateness_ms >= 0")
        .await;
    let (n, polls) = counter.row().await;
    assert_eq!(n, polls);
    service.stop().await;
    // A graceful end loses nothing.
    assert_eq!(counter.row().await.0, counter.tape().last().unwrap().0);
    assert!(counter.events().await.is_empty());
}

#[tokio::test]
async fn after_kill_9_the_state_is_a_moment_old_and_agrees_with_the_events() {
    const MOMENT_MS: i64 = 3000;
    let counter = Counter::new(7).await;
    for _ in 0..2 {
        let (before, _) = counter.row().await;
        let mut victim = counter.fixture.spawn("s", &[]);
        counter
            .fixture
            .eventually(&format!("SELECT FROM sensor_state WHERE (state->>'n')::int > {before} + 20"))
            .await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        let (tape, (n, polls)) = (counter.tape(), counter.row().await);
        let (last, killed) = *tape.last().unwrap();
        assert_eq!(n, polls, "state and count are written together");
        assert!(
            n <= last && tape.iter().all(|(poll, at)| *poll <= n || *at > killed - MOMENT_MS),
            "{n}: {tape:?}"
        );
        let events = counter.events().await;
        assert_eq!(events, every(7, events.len()));
        assert_eq!(events.len(), usize::try_from(n / 7).unwrap(), "what is remembered was reported");
    }
    let service = counter.fixture.start().await;
    let (n, _) = counter.row().await;
    counter.fixture.eventually(&format!("SELECT FROM event WHERE (payload->>'n')::int > {n} + 14")).await;
    service.stop().await;
    let events = counter.events().await;
    assert_eq!(events, every(7, events.len()), "none is lost and none doubled");
}

#[tokio::test]
async fn a_failure_keeps_what_the_polls_before_it_left() {
    let place = tempfile::tempdir().unwrap();
    let fails = place.path().join("fails");
    let code = format!(
        r#"[ -e {} ] && exit 3
        n=$(sed 's/.*"state":{{"n":\([0-9]*\)}}.*/\1/; t; s/.*/0/' "$SENSOR_CONTEXT")
        echo "{{\"events\": [], \"state\": {{\"n\": $((n + 1))}}}}""#,
        fails.display()
    );
    let fixture = Fixture::with_sensors(&[("s", "core.shell", &code)]).await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM sensor_state WHERE polls > 3").await;
    std::fs::write(&fails, "").unwrap();
    fixture.failing("s", "it exited with code 3").await;
    std::fs::remove_file(&fails).unwrap();
    fixture
        .eventually(
            "SELECT FROM sensor_state WHERE status = 'running' AND failures = 0 AND errors >= 1
             AND (state->>'n')::bigint = polls - errors",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn who_writes_the_row_by_hand_is_not_overruled_by_polls_before() {
    let counter = Counter::new(1_000_000).await;
    let service = counter.fixture.start().await;
    counter.fixture.eventually("SELECT FROM sensor_state WHERE polls > 2").await;
    counter.fixture.execute(r#"UPDATE sensor_state SET state = '{"n": 5000}', polls = 0"#).await;
    counter
        .fixture
        .eventually("SELECT FROM sensor_state WHERE (state->>'n')::bigint BETWEEN 5002 AND 5999")
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_sensor_that_moves_takes_its_state_along() {
    let counter = Counter::new(1_000_000).await;
    let first = counter.fixture.start_as("first").await;
    counter.fixture.eventually("SELECT FROM sensor_state WHERE polls > 2").await;
    let mut config = counter.fixture.config("second");
    config.sensor = config.sensor.map(|sensor| SensorConfig { max_concurrent_sensors: 1, ..sensor });
    let second = counter.fixture.service(config);
    second.start().await.unwrap();
    first.stop().await;
    let (n, _) = counter.row().await;
    counter
        .fixture
        .eventually(&format!("SELECT FROM sensor_state WHERE (state->>'n')::bigint > {n} + 3"))
        .await;
    second.stop().await;
    let polls: Vec<i64> = counter.tape().into_iter().map(|(poll, _)| poll).collect();
    assert_eq!(polls, (1..=i64::try_from(polls.len()).unwrap()).collect::<Vec<_>>());
}
