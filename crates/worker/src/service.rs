//! A whole worker: registered, claiming, and put to an end.

use std::sync::Arc;
use std::time::Duration;

use attune_boot::{Membership, OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_common::repositories::usage::Kind;
use attune_common::runtime_detection::Detected;
use attune_executor::core_pack;
use attune_executor::finish::Finisher;
use attune_executor::service::{spawn_meter, spawn_relay, spawn_watch};
use attune_hints::{Hints, Topic};
use attune_runtimes::equipment::Equipment;
use attune_runtimes::host::{Hosts, Settings};
use attune_runtimes::launch::Launcher;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::attempt::{Limits, Runner};
use crate::cancelling;
use crate::claims::Claims;
use crate::error::Error;
use crate::known::Known;
use crate::registration::{self, WorkerRegistration};
use crate::upkeep;

/// How long a graceful end may take: executions get most of it, giving back the rest.
pub const DRAIN: Duration = Duration::from_secs(15);

/// When what runs counts as long, and others need not wait for its slot.
const LONG: Duration = Duration::from_secs(10);

/// What a service shares with the rest of its process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The database.
    pub pool: PgPool,
    /// The board of wake-ups.
    pub hints: Hints,
    /// Where its tasks run; stopping it stops the service.
    pub supervisor: Supervisor,
}

/// The service that runs actions.
#[derive(Debug)]
pub struct WorkerService {
    around: Surroundings,
    config: Arc<Config>,
    replace: bool,
    long: Duration,
}

impl WorkerService {
    /// A worker with a database connection, hints and supervisor of its own.
    pub async fn new(config: Config) -> Result<Self, Error> {
        let pool = attune_boot::prepare_database(&config, "attune-worker").await.map_err(Error::Database)?;
        core_pack::ensure_core_pack(&pool).await.map_err(Error::CorePack)?;
        let around = Surroundings { pool, hints: Hints::default(), supervisor: Supervisor::default() };
        spawn_relay(&around.supervisor, &around.hints, &around.pool);
        spawn_watch(&around.supervisor, &around.hints, &around.pool, "attune-worker", config.lease);
        Ok(Self::with(around, config))
    }

    /// A worker inside of a process that has these already.
    pub fn with(around: Surroundings, config: Config) -> Self {
        Self { around, config: Arc::new(config), replace: false, long: LONG }
    }

    /// With `true`, a live namesake is taken over instead of refused.
    #[must_use]
    pub fn replacing(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    /// With another time after which what runs counts as long.
    #[must_use]
    pub fn counting_as_long(self, long: Duration) -> Self {
        Self { long, ..self }
    }

    /// Where its tasks run.
    pub fn supervisor(&self) -> Supervisor {
        self.around.supervisor.clone()
    }

    /// Registers and starts everything. Returns once executions are being claimed, or the end was asked for meanwhile.
    pub async fn start(&self) -> Result<(), Error> {
        let stopping = self.around.supervisor.stopping();
        tokio::select! {
            started = self.register_and_spawn() => started,
            () = stopping.cancelled() => Ok(()),
        }
    }

    /// Stops everything and waits for it: running executions get time to end, the rest goes back into the queue.
    pub async fn stop(&self) {
        self.around.supervisor.stop();
        if let Err(error) = self.around.supervisor.clone().run(DRAIN).await {
            tracing::warn!(error = format!("{error:#}"), "The worker did not end well");
        }
    }

    async fn register_and_spawn(&self) -> Result<(), Error> {
        let Surroundings { pool, hints, supervisor } = self.around.clone();
        let worker = registration::section(&self.config);
        let mut registration = WorkerRegistration::replacing(pool.clone(), &self.config, self.replace);
        let detected = registration.detect(&self.config).await.map_err(Error::Detect)?;
        let equipment = self.equip(detected).await?;
        let launcher = Arc::new(self.launcher()?);
        let hosts = Hosts::new(Arc::clone(&launcher), Settings::within(worker.host_memory_bytes));
        registration.register().await.map_err(Error::Registration)?;
        let registration = registration.into_registration();
        let held = registration.held().map_err(Error::Registration)?;
        let membership = Membership::keep(&supervisor, registration, worker.heartbeat_interval)
            .map_err(Error::Registration)?;
        hints.wake(Topic::Worker);
        let meter = spawn_meter(&supervisor, &pool, Kind::Action);
        let finisher = Finisher::start(pool.clone(), hints.clone(), held.worker);
        let runner = Arc::new(Runner {
            limits: Limits::of(&self.config),
            pool: pool.clone(),
            worker: held.worker,
            data_dir: self.config.data_dir.clone(),
            equipment,
            launcher,
            hosts,
            finisher,
            meter: meter.clone(),
            missing: Notify::new(),
        });
        let fresh = upkeep::keep_fresh(pool.clone(), hints.clone(), membership.clone(), Arc::clone(&runner));
        supervisor.spawn("equipment", OnStop::Abort, OnError::Shutdown, fresh);
        let known = Known::default();
        let watch = cancelling::watch(pool.clone(), hints.clone(), held.worker, known.clone());
        supervisor.spawn("cancelling", OnStop::Abort, OnError::Shutdown, watch);
        let slots = worker.max_concurrent_executions;
        let claims = Claims { pool, hints, held, membership, runner, known, slots, long: self.long };
        let executions = claims.run(supervisor.stopping());
        supervisor.spawn("executions", OnStop::Wait, OnError::Shutdown, async move {
            let ended = executions.await;
            meter.write().await;
            ended
        });
        Ok(())
    }

    async fn equip(&self, detected: Detected) -> Result<Arc<Equipment>, Error> {
        let source = registration::source(&self.config);
        let equipment =
            Equipment::new(self.around.pool.clone(), Arc::clone(&self.config), source, detected).await;
        equipment.map(Arc::new).map_err(Error::Equipment)
    }

    fn launcher(&self) -> Result<Launcher, Error> {
        let path = &self.config.cache_dir;
        Launcher::open(&self.config)
            .map_err(|source| Error::Scratch { path: path.display().to_string(), source })
    }
}
