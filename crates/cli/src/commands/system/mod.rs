//! Everything in one process: a database, the executor, the API, a worker and a sensor worker under one supervisor.

mod database;
mod packs;

use attune_api::ApiService;
use attune_boot::{OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_executor::core_pack;
use attune_executor::ingest::Ingest;
use attune_executor::service::{ExecutorService, spawn_relay, spawn_watch};
use attune_hints::Hints;
use attune_sensor::SensorService;
use attune_worker::WorkerService;
use sqlx::PgPool;

pub(crate) use database::Database;
pub(crate) use packs::{Packed, load, read};

/// How long a stop may take; running executions get most of it.
pub(crate) const DRAIN: std::time::Duration = std::time::Duration::from_secs(20);

/// A running system.
#[derive(Debug)]
pub(crate) struct System {
    /// Its database.
    pub(crate) pool: PgPool,
    /// Where its API listens.
    pub(crate) url: String,
}

/// Starts every service under one supervisor. What a later service needs, an earlier one made.
pub(crate) async fn start(
    config: &Config,
    packs: Vec<Packed>,
    replace: bool,
    supervisor: &Supervisor,
) -> anyhow::Result<System> {
    let (pool, hints) = (core_pack::prepare_database(config, "attune up").await?, Hints::default());
    load(&pool, packs, &config.limits).await?;
    spawn_relay(supervisor, &hints, &pool);
    spawn_watch(supervisor, &hints, &pool, "attune up", config.lease);
    let executor = ExecutorService::new(pool.clone(), hints.clone(), config).await?;
    executor.start(supervisor);
    let ingest = executor.ingest().clone();
    let api = ApiService::start(config, pool.clone(), ingest.clone(), hints.clone()).await?;
    let url = serve(api, supervisor);
    start_workers(config, replace, (pool.clone(), hints, ingest), supervisor.clone()).await?;
    Ok(System { pool, url })
}

/// Starts the API alone, which evaluates nothing.
pub(crate) async fn start_safe(config: &Config, supervisor: &Supervisor) -> anyhow::Result<System> {
    let pool = core_pack::prepare_database(config, "attune up --safe").await?;
    let api = ApiService::start_safe(config, pool.clone(), Hints::default()).await?;
    tracing::warn!("Safe mode: no sensors, timers, rules, workers or reconcilers run");
    Ok(System { pool, url: serve(api, supervisor) })
}

/// Serves until the supervisor stops. Returns where.
fn serve(api: ApiService, supervisor: &Supervisor) -> String {
    let url = api.url().to_owned();
    let serving = api.serve(supervisor.stopping());
    supervisor.spawn("api", OnStop::Wait, OnError::Shutdown, async move {
        serving.await;
        anyhow::Ok(())
    });
    url
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
