//! Ticks that passed while nobody could poll. The time that a service was away is moved by SQL, and nobody waits for it.

use sqlx::Row as _;

use crate::fixture::Fixture;

const CODE: &str = "echo '{\"events\": [{}]}'";

/// Hourly sensors that last ticked so many hours and a half ago: their name is what they want, and how many hours.
async fn away(sensors: &[(&str, u32)], code: &str) -> Fixture {
    let names: Vec<String> = sensors.iter().map(|(policy, hours)| format!("{policy}_{hours}")).collect();
    let drafts: Vec<_> = names.iter().map(|name| (name.as_str(), "core.shell", code)).collect();
    let fixture = Fixture::with_sensors(&drafts).await;
    fixture
        .execute(
            "UPDATE sensor SET poll_interval = 3600, missed = split_part(split_part(ref, '.', 2), '_', 1)",
        )
        .await;
    fixture
        .execute(
            "UPDATE sensor_state SET status = 'running',
                 last_tick = clock_timestamp() - make_interval(hours => (SELECT split_part(ref, '_', 2)::int FROM sensor WHERE id = sensor), mins => 30)",
        )
        .await;
    fixture
}

async fn became(fixture: &Fixture, sensor: &str, polls: i64, made_up: i64, missed: i64) {
    fixture
        .eventually(&format!(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor
             WHERE ref = 'demo.{sensor}' AND (polls, made_up, missed_ticks, owed) = ({polls}, {made_up}, {missed}, 0)"
        ))
        .await;
}

#[tokio::test]
async fn after_an_outage_each_sensor_gets_what_it_wants() {
    let fixture = away(&[("skip", 10), ("once", 10), ("all", 10), ("all", 130), ("once", 0)], CODE).await;
    let service = fixture.start().await;
    became(&fixture, "skip_10", 0, 0, 10).await;
    became(&fixture, "once_10", 1, 1, 9).await;
    became(&fixture, "all_10", 10, 10, 0).await;
    became(&fixture, "all_130", 100, 100, 30).await;
    service.stop().await;
    became(&fixture, "once_0", 0, 0, 0).await;
    became(&fixture, "all_10", 10, 10, 0).await;
}

#[tokio::test]
async fn what_is_owed_is_still_owed_after_a_restart() {
    let fixture = away(&[("all", 12)], "sleep 0.2; echo '{\"events\": []}'").await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM sensor_state WHERE polls >= 2").await;
    service.stop().await;
    let row =
        fixture.eventually("SELECT made_up, owed::bigint FROM sensor_state WHERE missed_ticks = 0").await;
    assert_eq!(row.get::<i64, _>(0) + row.get::<i64, _>(1), 12);
    let service = fixture.start().await;
    became(&fixture, "all_12", 12, 12, 0).await;
    service.stop().await;
}

#[tokio::test]
async fn what_nobody_wanted_was_not_missed_and_who_is_wanted_again_is_polled_at_once() {
    let fixture = away(&[("all", 10)], CODE).await;
    let service = fixture.start().await;
    became(&fixture, "all_10", 10, 10, 0).await;
    for (off, on) in [
        ("UPDATE sensor_state SET paused = TRUE", "UPDATE sensor_state SET paused = FALSE"),
        ("UPDATE sensor SET enabled = FALSE", "UPDATE sensor SET enabled = TRUE"),
    ] {
        let polls: i64 = fixture.eventually("SELECT polls FROM sensor_state").await.get(0);
        fixture.execute(off).await;
        fixture
            .eventually("SELECT FROM sensor_state WHERE worker IS NULL AND status IN ('paused', 'stopped')")
            .await;
        fixture.execute("UPDATE sensor_state SET last_tick = last_tick - INTERVAL '9 hours'").await;
        fixture.execute(on).await;
        became(&fixture, "all_10", polls + 1, 10, 0).await;
    }
    service.stop().await;
}

#[tokio::test]
async fn polls_that_take_longer_than_the_interval_are_counted_by_what_the_sensor_wants() {
    let drafts =
        ["skip", "once", "all"].map(|name| (name, "core.shell", "sleep 0.5; echo '{\"events\": []}'"));
    let fixture = Fixture::with_sensors(&drafts).await;
    fixture.execute("UPDATE sensor SET missed = split_part(ref, '.', 2)").await;
    let service = fixture.start().await;
    for (name, what) in [
        ("skip", "missed_ticks > 2 AND made_up = 0 AND owed = 0"),
        ("once", "missed_ticks > 2 AND made_up > 2"),
        ("all", "made_up > 2 AND owed > 2"),
    ] {
        fixture
            .eventually(&format!(
                "SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'demo.{name}' AND {what}"
            ))
            .await;
    }
    service.stop().await;
}
