//! `sensor`: the service that runs sensors.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::capabilities;
use super::section::Section;

/// The section `sensor`.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorConfig {
    /// `worker_name`: the name to register with; default `sensor-{hostname}`.
    pub worker_name: String,
    /// `host`: how others reach this machine; default its name.
    pub host: String,
    /// `heartbeat_interval`: how often the worker says that it lives.
    pub heartbeat_interval: Duration,
    /// `poll_interval`: how often a sensor is polled that does not say so itself.
    pub poll_interval: Duration,
    /// `sensor_timeout`: how long a poll may take when the sensor does not say so itself.
    pub sensor_timeout: Duration,
    /// `max_concurrent_sensors`: polls in flight; the slow lane has as many again.
    pub max_concurrent_sensors: u32,
    /// `capabilities`: what the operator says about this worker.
    pub capabilities: Option<HashMap<String, Value>>,
}

impl SensorConfig {
    pub(super) fn read(section: &mut Section<'_>, hostname: &str) -> Self {
        Self {
            worker_name: section.text("worker_name").unwrap_or_else(|| format!("sensor-{hostname}")),
            host: section.text("host").unwrap_or_else(|| hostname.to_owned()),
            heartbeat_interval: section.seconds("heartbeat_interval", 30),
            poll_interval: section.seconds("poll_interval", 30),
            sensor_timeout: section.seconds("sensor_timeout", 30),
            max_concurrent_sensors: section.count("max_concurrent_sensors", 10),
            capabilities: capabilities::read(section),
        }
    }
}
