//! `attune up`: everything in one process, with its own PostgreSQL unless one is configured.

mod database;
mod packs;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use attune_api::ApiService;
use attune_boot::{OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_executor::core_pack;
use attune_executor::ingest::Ingest;
use attune_executor::service::{ExecutorService, spawn_relay};
use attune_hints::Hints;
use attune_sensor::SensorService;
use attune_worker::WorkerService;
use clap::Args;
use sqlx::PgPool;

use crate::arguments::Global;
use crate::output;
use database::Database;
use packs::Packed;

/// How long a stop may take; running executions get most of it.
const DRAIN: Duration = Duration::from_secs(20);

/// What to bring up.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  attune up --packs packs/demo\n\nStop it with Ctrl-C; a second Ctrl-C does not wait for what is running."
)]
pub(crate) struct Arguments {
    /// Port of the API; 0 takes a free one
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// A pack to load at the start, or a directory of packs; may be repeated
    #[arg(long, value_name = "DIR")]
    packs: Vec<PathBuf>,
    /// Take over workers of the same name that still run
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(global: &Global, arguments: Arguments) -> anyhow::Result<ExitCode> {
    attune_boot::init_telemetry();
    let config = configure(global, &arguments)?;
    attune_boot::runtime()?.block_on(up(config, arguments))?;
    Ok(ExitCode::SUCCESS)
}

/// The configuration, with what was typed on top.
fn configure(global: &Global, arguments: &Arguments) -> anyhow::Result<Config> {
    let mut config = Config::load_from(global.config.as_deref())?;
    if let Some(directory) = &global.data_dir {
        let directory = std::path::absolute(directory)?;
        if config.cache_dir.starts_with(&config.data_dir) {
            config.cache_dir = directory.join("cache");
        }
        config.data_dir = directory;
    }
    config.server.port = arguments.port.unwrap_or(config.server.port);
    Ok(config)
}

async fn up(mut config: Config, arguments: Arguments) -> anyhow::Result<()> {
    let supervisor = Supervisor::default();
    let packs = packs::read(&arguments.packs)?;
    let database = Database::start(&mut config, &supervisor).await?;
    let start = Box::pin(start(config, packs, arguments.replace, supervisor.clone()));
    let outcome = attune_boot::serve(supervisor, DRAIN, start).await;
    database.stop().await;
    outcome
}

/// Starts every service under one supervisor. What a later service needs, an earlier one made.
async fn start(
    config: Config,
    packs: Vec<Packed>,
    replace: bool,
    supervisor: Supervisor,
) -> anyhow::Result<()> {
    let (pool, hints) = (core_pack::prepare_database(&config, "attune up").await?, Hints::default());
    packs::load(&pool, packs, &config.limits).await?;
    spawn_relay(&supervisor, &hints, &pool);
    let executor = ExecutorService::new(pool.clone(), hints.clone(), &config).await?;
    executor.start(&supervisor);
    let ingest = executor.ingest().clone();
    let api = ApiService::start(&config, pool.clone(), ingest.clone(), hints.clone()).await?;
    let url = api.url().to_owned();
    let serving = api.serve(supervisor.stopping());
    supervisor.spawn("api", OnStop::Wait, OnError::Shutdown, async move {
        serving.await;
        anyhow::Ok(())
    });
    start_workers(&config, replace, (pool, hints, ingest), supervisor).await?;
    output::text(&format!("Attune is ready at {url}"))
}

async fn start_workers(
    config: &Config,
    replace: bool,
    (pool, hints, ingest): (PgPool, Hints, Ingest),
    supervisor: Supervisor,
) -> anyhow::Result<()> {
    let around = attune_worker::Surroundings {
        pool: pool.clone(),
        hints: hints.clone(),
        supervisor: supervisor.clone(),
    };
    let worker = WorkerService::with(around, config.clone()).replacing(replace);
    let around = attune_sensor::Surroundings { pool, hints, ingest, supervisor };
    let sensor = SensorService::with(around, config.clone()).replacing(replace);
    let (worker, sensor) = tokio::join!(worker.start(), sensor.start());
    worker?;
    Ok(sensor?)
}
