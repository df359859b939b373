//! `worker`: the service that runs actions.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::capabilities;
use super::section::Section;

/// What the section is for.
pub(super) const ABOUT: &str = "The service that runs actions.";

/// The section `worker`.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerConfig {
    /// `worker_name`: the name to register with; default `worker-{hostname}`.
    pub worker_name: String,
    /// `host`: how others reach this machine; default its name.
    pub host: String,
    /// `hybrid`: registers for sensors too; by configuration only.
    pub hybrid: bool,
    /// `heartbeat_interval`: how often the worker says that it lives.
    pub heartbeat_interval: Duration,
    /// `max_concurrent_executions`: executions in flight.
    pub max_concurrent_executions: u32,
    /// `execution_timeout`: how long an execution may take when its action does not say so itself.
    pub execution_timeout: Duration,
    /// `host_memory_bytes`: what all warm hosts together may take.
    pub host_memory_bytes: u64,
    /// `capabilities`: what the operator says about this worker.
    pub capabilities: Option<HashMap<String, Value>>,
}

impl WorkerConfig {
    pub(super) fn read(keys: &mut Section<'_>, hostname: &str) -> Self {
        Self {
            worker_name: keys.text("worker_name", format!("worker-{hostname}"), "The name to register with."),
            host: keys.text("host", hostname, "How others reach this machine, for people to read."),
            hybrid: keys.flag("hybrid", false, "Whether it registers for sensors too."),
            heartbeat_interval: keys.seconds(
                "heartbeat_interval",
                30,
                "How often the worker says that it lives.",
            ),
            max_concurrent_executions: keys.count("max_concurrent_executions", 10, "Executions in flight."),
            execution_timeout: keys.seconds(
                "execution_timeout",
                300,
                "How long an execution may take when its action does not say so itself.",
            ),
            host_memory_bytes: keys.bytes(
                "host_memory_bytes",
                512_000_000,
                "What all warm hosts of actions may take of the memory together.",
            ),
            capabilities: capabilities::read(keys),
        }
    }
}
