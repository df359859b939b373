//! One owner per sensor, whoever comes and goes.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::Row as _;

use crate::fixture::Fixture;

/// Each poll leaves its start and its end in a file; two polls at once would interleave.
fn watched(place: &std::path::Path, name: &str) -> String {
    let file = place.join(name);
    format!("echo start >> {0}; sleep 0.05; echo end >> {0}; echo '{{\"events\": [{{}}]}}'", file.display())
}

fn assert_never_doubled(place: &std::path::Path) {
    for file in std::fs::read_dir(place).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.chunks(2).all(|poll| poll == ["start", "end"] || poll == ["start"]), "{text}");
    }
}

#[tokio::test]
async fn several_workers_share_the_sensors_without_doubling() {
    let place = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
    let codes: Vec<String> = names.iter().map(|name| watched(place.path(), name)).collect();
    let drafts: Vec<_> =
        names.iter().zip(&codes).map(|(n, c)| (n.as_str(), "core.shell", c.as_str())).collect();
    let fixture = Fixture::with_sensors(&drafts).await;
    let first = fixture.start_as("first").await;
    fixture.eventually("SELECT FROM sensor_state WHERE worker IS NOT NULL HAVING count(*) = 12").await;
    let second = fixture.start_as("second").await;
    let third = fixture.start_as("third").await;
    fixture
        .eventually(
            "SELECT FROM sensor_state WHERE worker IS NOT NULL HAVING count(*) = 12 AND count(DISTINCT worker) = 3
             AND min(polls) > 2",
        )
        .await;
    fixture
        .eventually(
            "SELECT FROM worker WHERE worker_role = 'sensor' AND status = 'active' HAVING count(*) = 3",
        )
        .await;

    second.stop().await;
    third.stop().await;
    fixture
        .eventually("SELECT FROM sensor_state HAVING count(DISTINCT worker) = 1 AND count(worker) = 12")
        .await;
    first.stop().await;
    assert_never_doubled(place.path());
}

#[tokio::test]
async fn after_kill_9_the_next_start_takes_over_at_once() {
    let fixture = Fixture::with_sensors(&[("s", "core.shell", "echo '{\"events\": [{}]}'")]).await;
    let mut victim = fixture.spawn("s", &[]);
    fixture.event_of("s").await;
    victim.kill().unwrap();
    victim.wait().unwrap();
    let epoch: i64 = fixture.eventually("SELECT max(epoch) FROM sensor_state").await.get(0);
    let service = fixture.start().await;
    fixture
        .eventually(&format!(
            "SELECT FROM sensor_state WHERE epoch > {epoch} AND polls > 2 AND status = 'running'"
        ))
        .await;
    service.stop().await;
}

#[tokio::test]
async fn who_is_replaced_ends_with_code_4_and_produces_nothing_more() {
    let code = r#"n=$(sed 's/.*"state":{"n":\([0-9]*\)}.*/\1/; t; s/.*/0/' "$SENSOR_CONTEXT")
        n=$((n + 1))
        echo "{\"events\": [{\"n\": $n}], \"state\": {\"n\": $n}}""#;
    let fixture = Fixture::with_sensors(&[("s", "core.shell", code)]).await.with_short_lease();
    let old = fixture.start().await;
    fixture.eventually("SELECT FROM event WHERE payload = '{\"n\": 3}'").await;
    let new = fixture.service(fixture.config("s")).replacing(true);
    new.start().await.unwrap();
    let failure = old.supervisor().run(attune_sensor::DRAIN).await.unwrap_err();
    assert_eq!(attune_boot::exit_code(&failure), 4, "{failure:#}");
    let polls: i64 =
        fixture.eventually("SELECT polls FROM sensor_state WHERE worker IS NOT NULL").await.get(0);
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE polls > {polls} + 3")).await;
    new.stop().await;
    let twice = sqlx::query("SELECT payload FROM event GROUP BY payload HAVING count(*) > 1");
    assert!(twice.fetch_all(fixture.pool()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sensor_taken_away_by_hand_is_dropped_and_won_again() {
    let fixture = Fixture::with_sensors(&[("s", "core.shell", "echo '{\"events\": [{}]}'")]).await;
    let service = fixture.start().await;
    fixture.event_of("s").await;
    fixture.execute("UPDATE sensor_state SET worker = NULL, epoch = epoch + 10").await;
    fixture.eventually("SELECT FROM sensor_state WHERE epoch > 10 AND worker IS NOT NULL").await;
    let polls: i64 = fixture.eventually("SELECT polls FROM sensor_state").await.get(0);
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE polls > {polls}")).await;
    service.stop().await;
    fixture.eventually("SELECT FROM sensor_state WHERE worker IS NULL").await;
}

#[tokio::test]
async fn without_the_database_polls_end_before_the_lease_does_and_go_on_afterwards() {
    let place = tempfile::tempdir().unwrap();
    let pids = place.path().join("pids");
    let code = format!("echo $$ >> {}; exec sleep 300", pids.display());
    let mut fixture = Fixture::with_sensors(&[("s", "core.shell", &code)]).await;
    fixture.lease /= 2;
    fixture.execute("UPDATE sensor SET timeout = 300").await;
    let service = fixture.start().await;
    let pid = until(|| polls(&pids).first().copied()).await;

    let begun = Instant::now();
    fixture.allow_connections(false).await;
    until(|| (!Path::new(&format!("/proc/{pid}")).exists()).then_some(())).await;
    assert!(begun.elapsed() < fixture.lease, "{:?}", begun.elapsed());
    fixture.allow_connections(true).await;
    until(|| polls(&pids).get(1).copied()).await;
    fixture.eventually("SELECT FROM sensor_state WHERE worker IS NOT NULL").await;
    service.stop().await;
}

/// The processes of all polls so far.
pub(crate) fn polls(file: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Waits for something outside of the database.
pub(crate) async fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.unwrap()
}
