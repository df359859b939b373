//! `sensor`: the service that runs sensors.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::capabilities;
use super::section::Section;

/// What the section is for.
pub(super) const ABOUT: &str = "The service that runs sensors.";

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
    /// `max_streams`: streaming sensors that run at once.
    pub max_streams: u32,
    /// `host_memory_bytes`: what all warm hosts together may take.
    pub host_memory_bytes: u64,
    /// `capabilities`: what the operator says about this worker.
    pub capabilities: Option<HashMap<String, Value>>,
}

impl SensorConfig {
    pub(super) fn read(keys: &mut Section<'_>, hostname: &str) -> Self {
        Self {
            worker_name: keys.text("worker_name", format!("sensor-{hostname}"), "The name to register with."),
            host: keys.text("host", hostname, "How others reach this machine, for people to read."),
            heartbeat_interval: keys.seconds(
                "heartbeat_interval",
                30,
                "How often the worker says that it lives.",
            ),
            poll_interval: keys.seconds(
                "poll_interval",
                30,
                "How often a sensor is polled that does not say so itself.",
            ),
            sensor_timeout: keys.seconds(
                "sensor_timeout",
                30,
                "How long a poll may take when the sensor does not say so itself.",
            ),
            max_concurrent_sensors: keys.count(
                "max_concurrent_sensors",
                10,
                "Polls in flight; the slow lane has as many again.",
            ),
            max_streams: keys.count(
                "max_streams",
                40,
                "Streaming sensors that run at once; each is a process that stays.",
            ),
            host_memory_bytes: keys.bytes(
                "host_memory_bytes",
                512_000_000,
                "What all warm hosts of sensors may take of the memory together.",
            ),
            capabilities: capabilities::read(keys),
        }
    }
}
