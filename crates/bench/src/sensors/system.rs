//! Attune in this process, on a private database: rules, ingest, and the workers that a figure needs.

use attune_boot::{OnError, OnStop, Supervisor};
use attune_common::config::{Config, DatabaseUrl, SensorConfig, WorkerConfig};
use attune_executor::core_pack;
use attune_executor::ingest::Ingest;
use attune_executor::service::ExecutorService;
use attune_hints::Hints;
use attune_localdb::LocalDb;
use attune_sensor::{Figures, SensorService};
use attune_timers::Timers;
use attune_worker::WorkerService;
use chrono::Utc;
use sqlx::PgPool;

use super::usage::Usage;
use crate::world::{Scratch, database};

#[derive(Debug)]
pub(crate) struct System {
    pub(crate) pool: PgPool,
    hints: Hints,
    ingest: Ingest,
    supervisor: Supervisor,
    config: Config,
    database: LocalDb,
    scratch: Scratch,
}

impl System {
    /// Everything but workers, which will have this many places.
    pub(crate) async fn start(slots: u32) -> anyhow::Result<Self> {
        let scratch = Scratch::new("sensors")?;
        let database = database(&scratch.path().join("data")).await?;
        let config = configuration(&scratch, &database.url(), slots);
        let pool = core_pack::prepare_database(&config, "attune-bench").await?;
        // The sensors that are measured are all there are.
        sqlx::query("DELETE FROM sensor").execute(&pool).await?;
        let (hints, supervisor) = (Hints::default(), Supervisor::default());
        attune_executor::service::spawn_relay(&supervisor, &hints, &pool);
        attune_executor::service::spawn_watch(&supervisor, &hints, &pool, "attune-bench", config.lease);
        let executor = ExecutorService::new(pool.clone(), hints.clone(), &config).await?;
        executor.start(&supervisor);
        let ingest = executor.ingest().clone();
        Ok(Self { pool, hints, ingest, supervisor, config, database, scratch })
    }

    /// The entrance for events.
    pub(crate) fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    /// Starts a sensor worker.
    pub(crate) async fn start_sensors(&self) -> anyhow::Result<Figures> {
        let around = attune_sensor::Surroundings {
            pool: self.pool.clone(),
            hints: self.hints.clone(),
            ingest: self.ingest.clone(),
            supervisor: self.supervisor.clone(),
        };
        let service = SensorService::with(around, self.config.clone());
        service.start().await?;
        Ok(service.figures())
    }

    /// Starts the timers alone.
    pub(crate) fn start_timers(&self) {
        let timers = Timers::new(self.pool.clone(), self.ingest.clone());
        let stopping = self.supervisor.stopping();
        self.supervisor.spawn("timers", OnStop::Wait, OnError::Shutdown, async move {
            timers.run(Utc::now, stopping).await;
            anyhow::Ok(())
        });
    }

    /// Starts a worker for actions.
    pub(crate) async fn start_actions(&self) -> anyhow::Result<()> {
        let around = attune_worker::Surroundings {
            pool: self.pool.clone(),
            hints: self.hints.clone(),
            supervisor: self.supervisor.clone(),
        };
        Ok(WorkerService::with(around, self.config.clone()).start().await?)
    }

    /// What this process, its children and the database took so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let pid_file = self.scratch.path().join("data/postgres/postmaster.pid");
        let pid = std::fs::read_to_string(pid_file)?.lines().next().unwrap_or_default().parse()?;
        Usage::now(pid)
    }

    /// One number from the database.
    pub(crate) async fn number(&self, query: &'static str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar::<_, Option<i64>>(query).fetch_one(&self.pool).await?.unwrap_or_default())
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.supervisor.stop();
        self.supervisor.run(attune_worker::DRAIN).await?;
        self.pool.close().await;
        self.database.stop().await;
        Ok(())
    }
}

fn configuration(scratch: &Scratch, url: &str, slots: u32) -> Config {
    let mut config = Config { cache_dir: scratch.path().join("cache"), ..Config::default() };
    config.database.url = DatabaseUrl::parse(url);
    config.runtime.environments_dir = scratch.path().join("environments");
    config.sensor = config.sensor.map(|sensor| SensorConfig { max_concurrent_sensors: slots, ..sensor });
    config.worker = config.worker.map(|worker| WorkerConfig { max_concurrent_executions: slots, ..worker });
    config
}
