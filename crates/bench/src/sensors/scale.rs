//! Many sensors on one worker: whether each healthy tick runs, how late, and what a sensor costs.

mod change;

use std::time::{Duration, Instant};

use attune_common::config::Config;
use attune_sensor::Snapshot;
use clap::Args;

use super::language::Language;
use super::listener::Listener;
use super::pack::{self, Sensors};
use super::polls::manager_micros;
use super::system::System;
use super::usage::Usage;

/// Of a hundred ticks of healthy sensors one may be later.
const PUNCTUAL: Duration = Duration::from_secs(1);
/// Environments take their time, but not longer.
const ENVIRONMENTS: Duration = Duration::from_mins(5);
/// How long those that wait for the socket wait.
const DELAY: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Args)]
pub(super) struct Settings {
    /// Sensors (for --scale)
    #[arg(long, default_value_t = 10_000)]
    sensors: usize,
    /// Seconds between the polls of a sensor (for --scale)
    #[arg(long, default_value_t = 30)]
    interval: u32,
    /// Files of code (for --scale)
    #[arg(long, default_value_t = 200)]
    entrypoints: usize,
    /// Packs, each with an environment of its own (for --scale)
    #[arg(long, default_value_t = 5)]
    packs: usize,
    /// `max_concurrent_sensors` (for --scale)
    #[arg(long, default_value_t = 64)]
    slots: u32,
    /// Seconds before the measurement, once all environments are built: hanging sensors are found out (for --scale)
    #[arg(long, default_value_t = 120)]
    warm_up: u64,
    /// How many intervals are measured (for --scale)
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// What the sensors are written in (for --scale)
    #[arg(long, value_enum, default_value_t = Language::Python)]
    language: Language,
}

/// What a sensor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    Quick,
    /// It waits for the socket: a fifth.
    Waits,
    /// It reports an event each time: a twentieth.
    Emits,
    /// It hangs: a hundredth.
    Hangs,
}

impl Kind {
    /// By the number of the sensor in its pack, so that all packs have of all kinds.
    fn of(number: usize) -> Self {
        match number * 37 % 100 {
            0 => Self::Hangs,
            1..=20 => Self::Waits,
            21..=25 => Self::Emits,
            _ => Self::Quick,
        }
    }

    fn config(self, port: u16) -> String {
        match self {
            Self::Quick => "{}".to_owned(),
            Self::Waits => format!("{{\"port\": {port}}}"),
            Self::Emits => "{\"emit\": true}".to_owned(),
            Self::Hangs => "{\"hang\": true}".to_owned(),
        }
    }
}

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    println!(
        "settings: {} sensors of {} at {} s, {} entrypoints, {} packs with an environment each, 20 % wait {} ms on a socket, 1 % hang, 5 % emit, max_concurrent_sensors {}, {} s warm-up, {} intervals, fsync on",
        settings.sensors,
        settings.language.runtime(),
        settings.interval,
        settings.entrypoints,
        settings.packs,
        DELAY.as_millis(),
        settings.slots,
        settings.warm_up,
        settings.rounds
    );
    let system = System::start(settings.slots).await?;
    let outcome = measure(&system, settings).await;
    system.stop().await?;
    outcome
}

async fn measure(system: &System, settings: &Settings) -> anyhow::Result<()> {
    let listener = Listener::start(DELAY).await?;
    let bare = system.usage()?;
    insert(system, settings, listener.port).await?;
    let figures = system.start_sensors().await?;
    wait_for_environments(system, settings).await?;
    tokio::time::sleep(Duration::from_secs(settings.warm_up)).await;
    sqlx::query("CREATE TABLE bench_before AS SELECT sensor, polls, errors FROM sensor_state")
        .execute(&system.pool)
        .await?;
    let (told, used, start) = (figures.snapshot(), system.usage()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(u64::from(settings.interval * settings.rounds))).await;
    let (told, took) = (figures.snapshot().since(&told), start.elapsed());
    let usage = system.usage()?;
    report_ticks(system, settings, &told).await?;
    report_costs(settings, &usage, &bare, usage.since(&used), took, &told);
    change::run(system).await?;
    check(system, settings, &told).await
}

async fn insert(system: &System, settings: &Settings, port: u16) -> anyhow::Result<()> {
    let each = settings.entrypoints.div_ceil(settings.packs);
    for pack in 0..settings.packs {
        // An environment is named by what is in its manifest.
        let manifest = ("requirements.txt", format!("# environment {pack}\n"));
        pack::load(&system.pool, &format!("b{pack}"), settings.language, each, &[manifest]).await?;
    }
    let mut sensors = Sensors::default();
    for n in 0..settings.sensors {
        let (pack, number) = (n % settings.packs, n / settings.packs);
        let entrypoint = pack::entrypoint((number + number / each) % each, settings.language);
        sensors.add(&format!("b{pack}"), entrypoint, &Kind::of(number).config(port));
    }
    pack::insert_sensors(&system.pool, settings.language, f64::from(settings.interval), &sensors).await
}

/// Until a sensor of each pack was polled well.
async fn wait_for_environments(system: &System, settings: &Settings) -> anyhow::Result<()> {
    let start = Instant::now();
    let polled =
        "SELECT count(DISTINCT pack) FROM sensor JOIN sensor_state ON sensor = id WHERE polls > errors";
    while system.number(polled).await? < i64::try_from(settings.packs.min(settings.sensors))? {
        anyhow::ensure!(start.elapsed() < ENVIRONMENTS, "environments were not built");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("environments were there after {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

const DONE: &str =
    "SELECT sum(x.polls - b.polls)::bigint FROM sensor_state x JOIN bench_before b USING (sensor)
    JOIN sensor s ON s.id = x.sensor WHERE NOT s.config ? 'hang'";

async fn report_ticks(system: &System, settings: &Settings, told: &Snapshot) -> anyhow::Result<()> {
    let healthy = system.number("SELECT count(*) FROM sensor WHERE NOT config ? 'hang'").await?;
    let hanging = system
        .number("SELECT count(*) FROM sensor_state JOIN sensor ON id = sensor WHERE config ? 'hang' AND status = 'failing'")
        .await?;
    let events = system.number("SELECT count(*) FROM event").await?;
    println!(
        "polls of {healthy} healthy sensors: {} done, {} due, {} ticks missed; {events} events in all; {hanging} hanging sensors back off as failing",
        system.number(DONE).await?,
        healthy * i64::from(settings.rounds),
        told.missed,
    );
    let millis = |quantile| told.late(quantile).as_secs_f64() * 1e3;
    println!(
        "lateness of the healthy: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        millis(0.5),
        millis(0.99),
        millis(1.0)
    );
    Ok(())
}

fn report_costs(
    settings: &Settings,
    usage: &Usage,
    bare: &Usage,
    busy: [Duration; 3],
    took: Duration,
    told: &Snapshot,
) {
    let [own, children, database] = busy.map(|time| time.as_secs_f64() / took.as_secs_f64());
    let sensors = f64::from(u32::try_from(settings.sensors).unwrap_or(u32::MAX));
    let kilobytes = |bytes: u64| f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX));
    println!(
        "processors busy: this process {own:.2}, its children {children:.2}, the database {database:.2}"
    );
    println!(
        "per sensor: {:.3} ms of processor a minute without the database, {:.1} KB of this process; the manager took {:.1} us per poll",
        (own + children) * 60e3 / sensors,
        kilobytes(usage.memory.saturating_sub(bare.memory)) / sensors,
        manager_micros(told)
    );
    println!(
        "memory: this process {:.0} MB; {} hosts with {:.0} MB, of {:.0} MB that they may take",
        kilobytes(usage.memory) / 1024.0,
        usage.hosts.len(),
        kilobytes(usage.host_memory) / 1024.0,
        kilobytes(Config::default().sensor.map_or(0, |sensor| sensor.host_memory_bytes)) / 1024.0
    );
}

async fn check(system: &System, settings: &Settings, told: &Snapshot) -> anyhow::Result<()> {
    let least: Option<i64> = sqlx::query_scalar(
        "SELECT min(x.polls - b.polls) FROM sensor_state x JOIN bench_before b USING (sensor)
         JOIN sensor s ON s.id = x.sensor WHERE NOT s.config ? 'hang'",
    )
    .fetch_one(&system.pool)
    .await?;
    let failed = system
        .number(
            "SELECT count(*) FROM sensor_state x JOIN bench_before b USING (sensor) JOIN sensor s ON s.id = x.sensor
             WHERE NOT s.config ? 'hang' AND x.errors > b.errors",
        )
        .await?;
    anyhow::ensure!(failed == 0, "{failed} healthy sensors failed");
    anyhow::ensure!(told.late(0.99) < PUNCTUAL, "healthy sensors were late");
    anyhow::ensure!(told.missed == 0, "{} ticks of healthy sensors were missed", told.missed);
    // The tick at either end of the stretch may fall just outside of it.
    let wanted = i64::from(settings.rounds) - 1;
    anyhow::ensure!(
        least >= Some(wanted),
        "a healthy sensor was polled {least:?} times instead of {wanted} or more"
    );
    Ok(())
}
