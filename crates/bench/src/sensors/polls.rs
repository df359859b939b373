//! Polls a second through the whole sensor service: due at once again, committed, counted in the database.

use std::time::{Duration, Instant};

use attune_sensor::Snapshot;

use super::language::Language;
use super::pack::{self, Sensors};
use super::system::System;

/// Polls after which every sensor has found its host and its file is loaded there.
const SETTLED: i64 = 5;
/// How long it may take until every sensor had as many.
const PATIENCE: Duration = Duration::from_mins(5);

/// Which sensors.
#[derive(Debug)]
pub(super) struct Load {
    name: &'static str,
    language: Language,
    sensors: usize,
    slots: u32,
}

/// As many at once as keep both cores busy.
pub(super) const FRESH: Load = Load { name: "fresh", language: Language::Shell, sensors: 256, slots: 8 };
/// Each with a file of its own.
pub(super) const WARM: Load = Load { name: "warm", language: Language::Python, sensors: 1000, slots: 64 };

/// Polls a second.
pub(super) async fn run(load: &Load, seconds: u64) -> anyhow::Result<f64> {
    let Load { name, language, sensors, slots } = load;
    println!(
        "settings: {name} polls, {sensors} sensors of {} with a file each, always due, no events, max_concurrent_sensors {slots}, fsync on, {seconds} s",
        language.runtime()
    );
    let system = System::start(*slots).await?;
    let rate = measure(&system, load, Duration::from_secs(seconds)).await;
    system.stop().await?;
    rate
}

async fn measure(system: &System, load: &Load, time: Duration) -> anyhow::Result<f64> {
    pack::load(&system.pool, "bench", load.language, load.sensors, &[]).await?;
    let mut sensors = Sensors::default();
    (0..load.sensors).for_each(|n| sensors.add("bench", pack::entrypoint(n, load.language), "{}"));
    pack::insert_sensors(&system.pool, load.language, 0.001, &sensors).await?;
    let figures = system.start_sensors().await?;
    wait_until_settled(system).await?;

    let (start, before, used) = (Instant::now(), polls(system).await?, system.usage()?);
    let told = figures.snapshot();
    tokio::time::sleep(time).await;
    let (polls, took) = (polls(system).await? - before, start.elapsed().as_secs_f64());
    let rate = f64::from(u32::try_from(polls)?) / took;
    let usage = system.usage()?;
    let [own, children, database] = usage.since(&used).map(|time| time.as_secs_f64() / took);
    println!("{} polls: {rate:.0}/s recorded", load.name);
    println!(
        "  processors busy: this process {own:.2}, its children {children:.2}, the database {database:.2}; hosts {}; the manager took {:.1} us per poll",
        usage.hosts.len(),
        manager_micros(&figures.snapshot().since(&told))
    );
    Ok(rate)
}

/// What the manager itself takes for each poll.
pub(super) fn manager_micros(figures: &Snapshot) -> f64 {
    let turns = u32::try_from(figures.turns).unwrap_or(u32::MAX).max(1);
    figures.busy.as_secs_f64() * 1e6 / f64::from(turns)
}

async fn polls(system: &System) -> anyhow::Result<i64> {
    let failed = system.number("SELECT count(*) FROM sensor_state WHERE errors > 0").await?;
    anyhow::ensure!(failed == 0, "{failed} sensors failed");
    system.number("SELECT sum(polls)::bigint FROM sensor_state").await
}

async fn wait_until_settled(system: &System) -> anyhow::Result<()> {
    let start = Instant::now();
    while system.number("SELECT min(polls) FROM sensor_state").await? < SETTLED {
        anyhow::ensure!(start.elapsed() < PATIENCE, "not every sensor was polled {SETTLED} times");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
