//! The executor as a service: the reconcilers, and a rule book that stays fresh.
//!
//! Several may run side by side; see [`crate::reconcile`].

use std::sync::Arc;
use std::time::Duration;

use attune_boot::{Arguments, OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_common::repositories::usage::Kind;
use attune_hints::Hints;
use chrono::Utc;
use sqlx::PgPool;

use crate::core_pack;
use crate::ingest::Ingest;
use crate::reconcile::{Notices, Reconciler, Watch};
use crate::rules::RuleCache;
use crate::turns::Turns;
use crate::usage::Meter;

/// When the configuration names no interval.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30);

/// How long a stop waits for rounds that are under way.
const DRAIN: Duration = Duration::from_secs(10);

/// The executor as a program of its own.
pub async fn run(config: Config, _arguments: Arguments) -> anyhow::Result<()> {
    let supervisor = Supervisor::default();
    let start = async {
        let pool = core_pack::prepare_database(&config, "attune-executor").await?;
        let hints = Hints::default();
        spawn_relay(&supervisor, &hints, &pool);
        spawn_watch(&supervisor, &hints, &pool, "attune-executor", config.lease);
        ExecutorService::new(pool, hints, &config).await?.start(&supervisor);
        tracing::info!("The executor is running");
        anyhow::Ok(())
    };
    attune_boot::serve(supervisor.clone(), DRAIN, start).await
}

/// Carries hints between this process and the others until the supervisor stops.
pub fn spawn_relay(supervisor: &Supervisor, hints: &Hints, pool: &PgPool) {
    let relay = attune_hints::relay(hints.clone(), pool.clone(), supervisor.stopping());
    supervisor.spawn("hints", OnStop::Abort, OnError::Shutdown, async move {
        relay.await;
        anyhow::Ok(())
    });
}

/// Keeps the watch over sensors, together with every other process, until the supervisor stops. Once in a process.
pub fn spawn_watch(supervisor: &Supervisor, hints: &Hints, pool: &PgPool, program: &str, lease: Duration) {
    let watch = Watch::new(pool.clone(), hints.clone(), program, lease).run(supervisor.stopping());
    supervisor.spawn("watch", OnStop::Abort, OnError::Shutdown, async move {
        watch.await;
        anyhow::Ok(())
    });
}

/// A meter for what runs in this process, whose figures are written now and then until the supervisor stops. Whoever runs
/// something writes the rest once that is over.
pub fn spawn_meter(supervisor: &Supervisor, pool: &PgPool, kind: Kind) -> Meter {
    let meter = Meter::new(pool.clone(), kind);
    let writing = meter.clone().keep_writing(supervisor.stopping());
    supervisor.spawn("usage", OnStop::Wait, OnError::Shutdown, async move {
        writing.await;
        anyhow::Ok(())
    });
    meter
}

/// What every part of one process shares: the database, its hints and its entrance for events.
#[derive(Debug, Clone)]
pub struct ExecutorService {
    pool: PgPool,
    hints: Hints,
    ingest: Ingest,
    heartbeat_interval: Duration,
    lease: Duration,
}

impl ExecutorService {
    /// Reads the rules once, so that the first event finds them.
    pub async fn new(pool: PgPool, hints: Hints, config: &Config) -> sqlx::Result<Self> {
        let rules = Arc::new(RuleCache::new(pool.clone()));
        rules.renew(0).await?;
        let ingest = Ingest::start(pool.clone(), rules, hints.clone(), Utc::now);
        let intervals = [
            config.worker.as_ref().map(|worker| worker.heartbeat_interval),
            config.sensor.as_ref().map(|sensor| sensor.heartbeat_interval),
        ];
        let heartbeat_interval = intervals.into_iter().flatten().max().unwrap_or(HEARTBEAT_INTERVAL);
        Ok(Self { pool, hints, ingest, heartbeat_interval, lease: config.lease })
    }

    /// The entrance for events of this process.
    pub fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    /// Keeps the rules fresh, for processes that ingest and do not reconcile.
    pub fn start_rules(&self, supervisor: &Supervisor) {
        let (this, stop) = (self.clone(), supervisor.stopping());
        supervisor.spawn("rules", OnStop::Abort, OnError::Shutdown, async move {
            this.ingest.rules().keep_fresh(&this.hints, stop).await;
            anyhow::Ok(())
        });
    }

    /// Runs the reconcilers and keeps the rules fresh until the supervisor stops.
    pub fn start(&self, supervisor: &Supervisor) {
        self.start_rules(supervisor);
        let (pool, heartbeat_interval, lease) = (self.pool.clone(), self.heartbeat_interval, self.lease);
        let reconciler = Reconciler { pool, heartbeat_interval, lease };
        let stop = supervisor.stopping();
        supervisor.spawn("reconcilers", OnStop::Wait, OnError::Shutdown, async move {
            reconciler.run(stop).await;
            anyhow::Ok(())
        });
        let turns = Turns { pool: self.pool.clone(), hints: self.hints.clone() };
        let stop = supervisor.stopping();
        supervisor.spawn("turns", OnStop::Wait, OnError::Shutdown, async move {
            turns.run(stop).await;
            anyhow::Ok(())
        });
        let (pool, hints, ingest) = (self.pool.clone(), self.hints.clone(), self.ingest.clone());
        let (notices, stop) = (Notices { pool, hints, ingest }, supervisor.stopping());
        supervisor.spawn("notices", OnStop::Wait, OnError::Shutdown, async move {
            notices.run(stop).await;
            anyhow::Ok(())
        });
    }
}
