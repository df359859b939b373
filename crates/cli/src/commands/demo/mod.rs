//! `attune demo`: everything on a temporary data directory, with sensors in three languages, shown live.
//!
//! It is the real system: the one that `attune up` runs, with a private PostgreSQL, real environments and real actions.
//! Nothing of it is left afterwards but the environments, which the next demo finds built.

mod follow;
mod readiness;
mod report;
mod screen;
mod showcase;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use attune_boot::Supervisor;
use attune_common::config::Config;
use attune_common::repositories::journey;
use clap::Args;
use sqlx::PgPool;
use tokio::time::Instant;

use super::system::{self, DRAIN, Database, Packed};
use crate::arguments::{Format, Global};
use crate::failure::Failure;
use crate::output;
use follow::Follower;
use readiness::LOOK;
use report::Report;
use screen::Screen;

/// How long what is under way may take in the end.
const LAST: Duration = Duration::from_secs(15);

/// How long to show it.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0 only when each of the sensors produced an event that became a succeeded execution.\n\nExample:\n  attune demo --seconds 10"
)]
pub(crate) struct Arguments {
    /// Seconds to run, counted from when the sensors' environments are ready
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let directory = tempfile::Builder::new()
        .prefix("attune-demo-")
        // The account that runs PostgreSQL has to get through.
        .permissions(Permissions::from_mode(0o711))
        .tempdir()?;
    let log = log_file()?;
    attune_boot::log_to(&log)?;
    let config = configure(global, directory.path().join("data"))?;
    let demo = demo(config, global.output, Duration::from_secs(arguments.seconds));
    let outcome = attune_boot::runtime()?.block_on(demo).and_then(|report| judge(&report, global.output));
    match &outcome {
        Ok(()) => std::fs::remove_file(&log)?,
        Err(_) => note(&format!("The log of the demo: {}", log.display())),
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Kept when the demo fails.
fn log_file() -> anyhow::Result<PathBuf> {
    let file = tempfile::Builder::new().prefix("attune-demo-").suffix(".log").tempfile()?;
    Ok(file.into_temp_path().keep()?)
}

/// What is configured, but for where the data is: a demo leaves the real installation alone.
fn configure(global: &Global, data_dir: PathBuf) -> anyhow::Result<Config> {
    let mut config = Config::load_from(global.config.as_deref())?;
    config.cache_dir = data_dir.join("cache");
    config.data_dir = data_dir;
    config.database.url = None;
    config.server.port = 0;
    Ok(config)
}

async fn demo(mut config: Config, format: Format, time: Duration) -> anyhow::Result<Report> {
    note("Starting Attune with a PostgreSQL of its own, on a temporary directory");
    let supervisor = Supervisor::default();
    let database = Database::start(&mut config, &supervisor).await?;
    let report = Arc::new(OnceLock::new());
    let show =
        Box::pin(show(config, supervisor.clone(), Screen::new(format, time.as_secs()), time, report.clone()));
    let outcome = attune_boot::serve(supervisor, DRAIN, show).await;
    database.stop().await;
    outcome?;
    let report = Arc::into_inner(report).and_then(OnceLock::into_inner);
    report.ok_or_else(|| Failure::Failed("the demo was stopped before its end".to_owned()).into())
}

/// Shows it, counts, and asks for the end.
async fn show(
    config: Config,
    supervisor: Supervisor,
    screen: Screen,
    time: Duration,
    report: Arc<OnceLock<Report>>,
) -> anyhow::Result<()> {
    let system = system::start(&config, Vec::new(), false, &supervisor).await?;
    let pack = Packed::of_files("the showcase pack", &showcase::files(&system.url)?)?;
    system::load(&system.pool, vec![pack], &config.limits).await?;
    readiness::wait(&system.pool, &screen).await?;
    let follower = follow(&system.pool, &screen, time).await?;
    screen.close();
    // Nobody else sets it.
    let _ = report.set(Report::take(&system.pool, follower).await?);
    supervisor.stop();
    Ok(())
}

/// Tells each journey as it ends; then ends the sensors and waits for what is under way.
async fn follow(pool: &PgPool, screen: &Screen, time: Duration) -> anyhow::Result<Follower> {
    let (mut follower, start) = (Follower::default(), Instant::now());
    while start.elapsed() < time {
        tell(&mut follower, pool, screen).await?;
        screen.advance(start.elapsed(), follower.runs.len());
        tokio::time::sleep(LOOK).await;
    }
    journey::disable_sensors(pool, showcase::REF).await?;
    let end = Instant::now();
    while is_under_way(pool).await? && end.elapsed() < LAST {
        tokio::time::sleep(LOOK).await;
    }
    tell(&mut follower, pool, screen).await?;
    Ok(follower)
}

async fn tell(follower: &mut Follower, pool: &PgPool, screen: &Screen) -> anyhow::Result<()> {
    for journey in follower.look(pool).await? {
        screen.show(&journey)?;
    }
    Ok(())
}

/// Polls that run commit before their sensor stops; so first the sensors, then the executions.
async fn is_under_way(pool: &PgPool) -> sqlx::Result<bool> {
    let sensors = journey::list_sensors(pool, showcase::REF).await?;
    let executions = journey::count_executions(pool).await?;
    Ok(sensors.iter().any(|sensor| sensor.status != "stopped")
        || executions.iter().any(|(state, _)| state == "requested" || state == "running"))
}

fn judge(report: &Report, format: Format) -> anyhow::Result<()> {
    report.print(format)?;
    match report.idle()[..] {
        [] => Ok(()),
        ref idle => {
            Err(Failure::Failed(format!("no event of {} became a succeeded execution", idle.join(", ")))
                .into())
        }
    }
}

fn note(text: &str) {
    output::note(text);
}
