//! A whole sensor worker: registered, running its share of the sensors, and put to an end.

use std::sync::Arc;
use std::time::Duration;

use attune_boot::{Membership, OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_common::registration::Held;
use attune_common::repositories::usage::Kind;
use attune_executor::ingest::Ingest;
use attune_executor::rules::RuleCache;
use attune_executor::service::{spawn_meter, spawn_relay, spawn_watch};
use attune_executor::{core_pack, fuse};
use attune_hints::{Hints, Topic};
use attune_runtimes::equipment::Equipment;
use attune_runtimes::launch::Launcher;
use attune_timers::Timers;
use chrono::Utc;
use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::canary::Canaries;
use crate::error::Error;
use crate::generator::EventGenerator;
use crate::manager::{Assigner, Figures, LookAgain, SensorManager, Ticks, Tools};
use crate::missing;
use crate::registration::{self, SensorWorkerRegistration};
use crate::runtime::SensorRuntime;

/// How long a graceful end may take: polls get most of it, giving back the sensors the rest.
pub const DRAIN: Duration = Duration::from_secs(10);

/// What a service shares with the rest of its process.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The database.
    pub pool: PgPool,
    /// The board of wake-ups.
    pub hints: Hints,
    /// Where events go.
    pub ingest: Ingest,
    /// Where its tasks run; stopping it stops the service.
    pub supervisor: Supervisor,
}

/// The service that runs sensors.
#[derive(Debug)]
pub struct SensorService {
    around: Surroundings,
    config: Arc<Config>,
    replace: bool,
    figures: Figures,
}

impl SensorService {
    /// A sensor worker with a database connection, hints, ingest and supervisor of its own.
    pub async fn new(config: Config) -> Result<Self, Error> {
        let pool = attune_boot::prepare_database(&config, "attune-sensor").await.map_err(Error::Database)?;
        fuse::insert(&pool, &config.data_dir).await;
        core_pack::ensure_core_pack(&pool).await.map_err(Error::CorePack)?;
        let (hints, supervisor) = (Hints::default(), Supervisor::default());
        let rules = Arc::new(RuleCache::new(pool.clone()));
        let ingest = Ingest::start(pool.clone(), Arc::clone(&rules), hints.clone(), Utc::now);
        let (stopping, listening) = (supervisor.stopping(), hints.clone());
        supervisor.spawn("rules", OnStop::Abort, OnError::Shutdown, async move {
            rules.keep_fresh(&listening, stopping).await;
            Ok::<_, Error>(())
        });
        spawn_relay(&supervisor, &hints, &pool);
        spawn_watch(&supervisor, &hints, &pool, "attune-sensor", config.lease);
        Ok(Self::with(Surroundings { pool, hints, ingest, supervisor }, config))
    }

    /// A sensor worker inside of a process that has these already.
    pub fn with(around: Surroundings, config: Config) -> Self {
        Self { around, config: Arc::new(config), replace: false, figures: Figures::default() }
    }

    /// With `true`, a live namesake is taken over instead of refused.
    #[must_use]
    pub fn replacing(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    /// Where its tasks run.
    pub fn supervisor(&self) -> Supervisor {
        self.around.supervisor.clone()
    }

    /// How punctual it is.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Registers and starts everything. Returns once sensors are being run, or the end was asked for meanwhile.
    pub async fn start(&self) -> Result<(), Error> {
        self.start_timers();
        let stopping = self.around.supervisor.stopping();
        tokio::select! {
            started = self.register_and_spawn() => started,
            () = stopping.cancelled() => Ok(()),
        }
    }

    /// Stops everything and waits for it: running polls get time to end, then all sensors are given back.
    pub async fn stop(&self) {
        self.around.supervisor.stop();
        if let Err(error) = self.around.supervisor.clone().run(DRAIN).await {
            tracing::warn!(error = format!("{error:#}"), "The sensor worker did not end well");
        }
    }

    /// Warns for each runtime and each command that enabled sensors need and this machine lacks.
    pub async fn validate(&self) -> Result<(), Error> {
        let mut registration = SensorWorkerRegistration::new(self.around.pool.clone(), &self.config);
        let detected = registration.detect(&self.config).await?;
        let equipment = self.equip(detected).await?;
        missing::warn(&self.around.pool, &equipment).await
    }

    /// Timers belong to no worker, so they need no registration and wait for none.
    fn start_timers(&self) {
        let Surroundings { pool, ingest, supervisor, .. } = &self.around;
        let (timers, stopping) = (Timers::new(pool.clone(), ingest.clone()), supervisor.stopping());
        supervisor.spawn("timers", OnStop::Wait, OnError::Shutdown, async move {
            timers.run(Utc::now, stopping).await;
            Ok::<_, Error>(())
        });
    }

    async fn register_and_spawn(&self) -> Result<(), Error> {
        let Surroundings { pool, hints, supervisor, .. } = self.around.clone();
        let heartbeat_interval = registration::section(&self.config).heartbeat_interval;
        let mut registration = SensorWorkerRegistration::replacing(pool.clone(), &self.config, self.replace);
        let detected = registration.detect(&self.config).await?;
        let equipment = self.equip(detected).await?;
        missing::warn(&pool, &equipment).await?;
        let launcher = self.launcher()?;
        registration.enter().await.map_err(Error::Registration)?;
        let registration = registration.into_registration();
        let held = registration.held().map_err(Error::Registration)?;
        let membership = Membership::keep(&supervisor, registration, heartbeat_interval);
        let membership = membership.map_err(Error::Registration)?;
        hints.wake(Topic::Worker);
        self.spawn(held, &membership, equipment, launcher);
        Ok(())
    }

    fn spawn(&self, held: Held, membership: &Membership, equipment: Arc<Equipment>, launcher: Launcher) {
        let Surroundings { pool, hints, ingest, supervisor } = self.around.clone();
        let sensor = registration::section(&self.config);
        let look_again = Arc::new(LookAgain::default());
        let (sender, assignments) = mpsc::channel(1);
        let ticks = Arc::new(Ticks::new(pool.clone()));
        let meter = spawn_meter(&supervisor, &pool, Kind::Sensor);
        let output_limit = usize::try_from(self.config.limits.poll_output_bytes).unwrap_or(usize::MAX);
        let tools = Tools {
            pool: pool.clone(),
            equipment: Arc::clone(&equipment),
            runtime: SensorRuntime::new(Arc::new(launcher), output_limit, sensor.host_memory_bytes),
            generator: EventGenerator::new(pool.clone(), ingest),
            ticks: Arc::clone(&ticks),
            meter: meter.clone(),
            look_again: Arc::clone(&look_again),
            canaries: Canaries::default(),
            data_dir: self.config.data_dir.clone(),
            poll_interval: sensor.poll_interval,
            timeout: sensor.sensor_timeout,
        };
        let assigner = Assigner {
            pool,
            hints: hints.clone(),
            held,
            lease: self.config.lease,
            membership: membership.clone(),
            equipment,
            ticks,
            look_again,
            assignments: sender,
        };
        let (slots, streams) = (sensor.max_concurrent_sensors, sensor.max_streams);
        let manager = SensorManager::new(
            Arc::new(tools),
            hints,
            membership.clone(),
            assignments,
            slots,
            streams,
            self.figures.clone(),
        );
        supervisor.spawn("assignment", OnStop::Abort, OnError::Shutdown, assigner.run());
        let sensors = manager.run(supervisor.stopping());
        supervisor.spawn("sensors", OnStop::Wait, OnError::Shutdown, async move {
            let ended = sensors.await;
            meter.write().await;
            ended
        });
    }

    async fn equip(
        &self,
        detected: attune_common::runtime_detection::Detected,
    ) -> Result<Arc<Equipment>, Error> {
        let source = registration::source(&self.config);
        let pool = self.around.pool.clone();
        let equipment = Equipment::new(pool, Arc::clone(&self.config), source, detected).await;
        equipment.map(Arc::new).map_err(Error::Equipment)
    }

    fn launcher(&self) -> Result<Launcher, Error> {
        let path = &self.config.cache_dir;
        Launcher::open(&self.config)
            .map_err(|source| Error::Scratch { path: path.display().to_string(), source })
    }
}
