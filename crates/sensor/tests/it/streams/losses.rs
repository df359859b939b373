//! A stream that is no longer this worker's, or a worker that may not act.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use sqlx::Row as _;

use super::{lines, stream};
use crate::fixture::Fixture;
use crate::ownership::until;

#[tokio::test]
async fn a_fenced_commit_ends_it_without_an_ack_and_it_is_won_again() {
    let place = tempfile::tempdir().unwrap();
    let acks = place.path().join("acks");
    let code = stream(&format!(
        "hello; while :; do n=$((n + 1)); event $n; checkpoint $n; read -r ack; case $ack in *\"ack\"*) echo $n >> {};; esac; sleep 0.05; done",
        acks.display()
    ));
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture.event_of("s").await;
    fixture.execute("UPDATE sensor_state SET worker = NULL, epoch = epoch + 10").await;
    fixture.eventually("SELECT FROM sensor_state WHERE epoch > 10 AND worker IS NOT NULL").await;
    let events: i64 = fixture.eventually("SELECT events FROM sensor_state").await.get(0);
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {events} + 3 AND errors = 0")).await;
    service.stop().await;
    let seen = fixture.seen("s", "n").await;
    assert_eq!(seen, (1..=seen.len()).map(|n| json!(n)).collect::<Vec<_>>());
    // Whatever was acknowledged is there, and each once.
    let acks = lines(&acks);
    assert!(acks.len() <= seen.len());
    assert!(acks.windows(2).all(|two| two[0].parse::<u32>().unwrap() < two[1].parse().unwrap()), "{acks:?}");
}

#[tokio::test]
async fn without_the_database_it_stops_before_the_lease_ends_and_goes_on_afterwards() {
    let place = tempfile::tempdir().unwrap();
    let pids = place.path().join("pids");
    let code = stream(&format!(
        "echo $$ >> {}; hello; trap '' TERM; while :; do n=$((n + 1)); event $n; checkpoint $n; sleep 0.1; done",
        pids.display()
    ));
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture.event_of("s").await;
    let pid = lines(&pids).remove(0);
    let begun = Instant::now();
    fixture.allow_connections(false).await;
    until(|| (!Path::new(&format!("/proc/{pid}")).exists()).then_some(())).await;
    assert!(begun.elapsed() < fixture.lease, "{:?}", begun.elapsed());
    fixture.allow_connections(true).await;
    until(|| lines(&pids).get(1).cloned()).await;
    let events: i64 =
        fixture.eventually("SELECT events FROM sensor_state WHERE worker IS NOT NULL").await.get(0);
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {events} + 3")).await;
    service.stop().await;
    let seen = fixture.seen("s", "n").await;
    assert_eq!(seen, (1..=seen.len()).map(|n| json!(n)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_new_owner_goes_on_where_the_old_one_was() {
    let code = stream("hello; while :; do n=$((n + 1)); event $n; checkpoint $n; sleep 0.02; done");
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let old = fixture.start().await;
    fixture.event_of("s").await;
    let new = fixture.service(fixture.config("s")).replacing(true);
    new.start().await.unwrap();
    let failure = old.supervisor().run(attune_sensor::DRAIN).await.unwrap_err();
    assert_eq!(attune_boot::exit_code(&failure), 4, "{failure:#}");
    let events: i64 =
        fixture.eventually("SELECT events FROM sensor_state WHERE worker IS NOT NULL").await.get(0);
    fixture.eventually(&format!("SELECT FROM sensor_state WHERE events > {events} + 3")).await;
    new.stop().await;
    let seen = fixture.seen("s", "n").await;
    assert_eq!(seen, (1..=seen.len()).map(|n| json!(n)).collect::<Vec<_>>());
}
