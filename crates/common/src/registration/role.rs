//! What a worker runs; `worker_role_enum` in SQL.

use serde::{Deserialize, Serialize};

/// What a worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "worker_role_enum", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum WorkerRole {
    /// Executions.
    Action,
    /// Sensors.
    Sensor,
    /// Both.
    Hybrid,
}
