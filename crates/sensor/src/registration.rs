//! The sensor worker's place in the `worker` table, before and after it is taken.

use std::collections::HashMap;

use attune_common::config::{Config, SensorConfig, env};
use attune_common::registration::{self, Identity, Registration, WorkerRole};
use attune_common::runtime_detection::{Detected, Round, RuntimeDetector};
use attune_runtimes::equipment::Source;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::error::Error;

/// A worker that runs sensors, as a row of table `worker`.
#[derive(Debug)]
pub struct SensorWorkerRegistration {
    pool: PgPool,
    registration: Registration,
}

impl SensorWorkerRegistration {
    /// A worker that is not in the table yet; what it can run is not known yet either.
    pub fn new(pool: PgPool, config: &Config) -> Self {
        Self::replacing(pool, config, false)
    }

    /// As [`Self::new`]; with `replace` it takes over a live namesake.
    pub fn replacing(pool: PgPool, config: &Config, replace: bool) -> Self {
        let sensor = section(config);
        let role = WorkerRole::Sensor;
        let (heartbeat_interval, lease) = (sensor.heartbeat_interval, config.lease);
        let identity = Identity {
            name: sensor.worker_name,
            role,
            host: sensor.host,
            heartbeat_interval,
            lease,
            replace,
        };
        let mut registration = Registration::new(pool.clone(), identity);
        let slots = json!(sensor.max_concurrent_sensors);
        registration.add_capability("max_concurrent_sensors".to_owned(), slots);
        // What holds for sensors that say nothing themselves, for whoever watches them.
        let seconds = [("poll_interval", sensor.poll_interval), ("sensor_timeout", sensor.sensor_timeout)];
        for (name, time) in seconds {
            registration.add_capability(name.to_owned(), json!(time.as_secs_f64()));
        }
        registration.add_capability("sensor_version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        Self { pool, registration }
    }

    /// Finds out what this machine can run, then inserts the row, or takes over the one of that name and role once its
    /// holder is gone. Returns the worker's id.
    pub async fn register(&mut self, config: &Config) -> Result<i64, Error> {
        self.detect(config).await?;
        self.enter().await.map_err(Error::Registration)
    }

    /// Finds out what this machine can run.
    pub(crate) async fn detect(&mut self, config: &Config) -> Result<Detected, Error> {
        let Source { variable, given, .. } = source(config);
        let detector = RuntimeDetector::new(self.pool.clone());
        let detected = detector.detect(config, variable, given.as_ref(), Round::Start).await;
        let detected = detected.map_err(Error::Detect)?;
        for (key, value) in &detected.capabilities {
            self.registration.add_capability(key.clone(), value.clone());
        }
        Ok(detected)
    }

    /// Takes the place, with the capabilities as they are known.
    pub(crate) async fn enter(&mut self) -> Result<i64, registration::Error> {
        tracing::info!(worker.name = self.worker_name(), "Registering sensor worker");
        self.registration.register().await
    }

    /// Renews `last_heartbeat`, only while the epoch is this process's own.
    pub async fn heartbeat(&self) -> Result<(), registration::Error> {
        self.registration.heartbeat().await
    }

    /// Sets `inactive` and gives back every sensor: the graceful end.
    pub async fn deregister(&self) -> Result<(), registration::Error> {
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
    pub async fn update_capabilities(&self) -> Result<(), registration::Error> {
        self.registration.update_capabilities().await
    }

    /// The bare registration, for the service that keeps it.
    pub(crate) fn into_registration(self) -> Registration {
        self.registration
    }
}

/// What the configuration says of this machine.
pub(crate) fn source(config: &Config) -> Source {
    let sensor = section(config);
    Source { host: sensor.host, variable: env::SENSOR_RUNTIMES, given: sensor.capabilities }
}

/// The section `sensor`, which is present in every loaded configuration; one made by hand may lack it.
pub(crate) fn section(config: &Config) -> SensorConfig {
    let default = || Config::default().sensor.expect("the defaults have every section");
    config.sensor.clone().unwrap_or_else(default)
}
