//! The worker's place in the `worker` table, before and after it is taken.

use std::collections::HashMap;

use attune_common::config::{Config, WorkerConfig, env};
use attune_common::registration::{Error, Identity, Registration, WorkerRole};
use attune_common::runtime_detection::{self, Detected, Round, RuntimeDetector};
use attune_runtimes::equipment::Source;
use serde_json::{Value, json};
use sqlx::PgPool;

/// A worker that runs actions, as a row of table `worker`.
#[derive(Debug)]
pub struct WorkerRegistration {
    pool: PgPool,
    registration: Registration,
}

impl WorkerRegistration {
    /// A worker that is not in the table yet; what it can run is not known yet either.
    pub fn new(pool: PgPool, config: &Config) -> Self {
        Self::replacing(pool, config, false)
    }

    /// As [`Self::new`]; with `replace` it takes over a live namesake.
    pub fn replacing(pool: PgPool, config: &Config, replace: bool) -> Self {
        let worker = section(config);
        let role = if worker.hybrid { WorkerRole::Hybrid } else { WorkerRole::Action };
        let (heartbeat_interval, lease) = (worker.heartbeat_interval, config.lease);
        let identity = Identity {
            name: worker.worker_name,
            role,
            host: worker.host,
            heartbeat_interval,
            lease,
            replace,
        };
        let mut registration = Registration::new(pool.clone(), identity);
        let slots = json!(worker.max_concurrent_executions);
        registration.add_capability("max_concurrent_executions".to_owned(), slots);
        registration.add_capability("worker_version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        Self { pool, registration }
    }

    /// Finds out what this machine can run, and reports it with the next `register` or `update_capabilities`.
    pub async fn detect_capabilities(&mut self, config: &Config) -> Result<(), runtime_detection::Error> {
        self.detect(config).await.map(drop)
    }

    /// As [`Self::detect_capabilities`], with what was found.
    pub(crate) async fn detect(&mut self, config: &Config) -> Result<Detected, runtime_detection::Error> {
        let Source { variable, given, .. } = source(config);
        let detector = RuntimeDetector::new(self.pool.clone());
        let detected = detector.detect(config, variable, given.as_ref(), Round::Start).await?;
        for (key, value) in &detected.capabilities {
            self.registration.add_capability(key.clone(), value.clone());
        }
        Ok(detected)
    }

    /// Inserts the row, or takes over the one of that name and role once its holder is gone. Returns the worker's id.
    pub async fn register(&mut self) -> Result<i64, Error> {
        tracing::info!(worker.name = self.worker_name(), "Registering worker");
        self.registration.register().await
    }

    /// Renews `last_heartbeat`, only while the epoch is this process's own.
    pub async fn heartbeat(&self) -> Result<(), Error> {
        self.registration.heartbeat().await
    }

    /// Sets `inactive` and gives back every execution: the graceful end.
    pub async fn deregister(&self) -> Result<(), Error> {
        self.registration.deregister().await
    }

    /// `worker.id`, once registered.
    pub fn worker_id(&self) -> Option<i64> {
        self.registration.worker_id()
    }

    /// The name under which it registers.
    pub fn worker_name(&self) -> &str {
        self.registration.worker_name()
    }

    /// What it says it can do.
    pub fn capabilities(&self) -> &HashMap<String, Value> {
        self.registration.capabilities()
    }

    /// Adds or replaces one capability; written by the next `register` or `update_capabilities`.
    pub fn add_capability(&mut self, key: String, value: Value) {
        self.registration.add_capability(key, value);
    }

    /// Writes the capabilities as they are now.
    pub async fn update_capabilities(&self) -> Result<(), Error> {
        self.registration.update_capabilities().await
    }

    /// The bare registration, for the service that keeps it.
    pub(crate) fn into_registration(self) -> Registration {
        self.registration
    }
}

/// What the configuration says of this machine.
pub(crate) fn source(config: &Config) -> Source {
    let worker = section(config);
    Source { host: worker.host, variable: env::WORKER_RUNTIMES, given: worker.capabilities }
}

/// The section `worker`, which is present in every loaded configuration; one made by hand may lack it.
pub(crate) fn section(config: &Config) -> WorkerConfig {
    let default = || Config::default().worker.expect("the defaults have every section");
    config.worker.clone().unwrap_or_else(default)
}
