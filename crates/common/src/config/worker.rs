//! `worker`: the service that runs actions.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::capabilities;
use super::section::Section;

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
    /// `capabilities`: what the operator says about this worker.
    pub capabilities: Option<HashMap<String, Value>>,
}

impl WorkerConfig {
    pub(super) fn read(section: &mut Section<'_>, hostname: &str) -> Self {
        Self {
            worker_name: section.text("worker_name").unwrap_or_else(|| format!("worker-{hostname}")),
            host: section.text("host").unwrap_or_else(|| hostname.to_owned()),
            hybrid: section.flag("hybrid", false),
            heartbeat_interval: section.seconds("heartbeat_interval", 30),
            max_concurrent_executions: section.count("max_concurrent_executions", 10),
            execution_timeout: section.seconds("execution_timeout", 300),
            capabilities: capabilities::read(section),
        }
    }
}
