//! Table `sensor` as the sensor service needs it, and `sensor_config`, the snapshots that events point at.

use serde_json::Value;
use sqlx::PgPool;

/// A sensor that should run, with all that running it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorRow {
    /// `sensor.id`.
    pub id: i64,
    /// `sensor.ref`.
    pub r#ref: String,
    /// `runtime.id`; `None` when it names none.
    pub runtime: Option<i64>,
    /// Shown in reasons.
    pub runtime_ref: Option<String>,
    /// Path in the pack.
    pub entrypoint: String,
    /// Its configuration, as stored.
    pub config: Value,
    /// JSON Schema of the configuration.
    pub param_schema: Value,
    /// `poll`, `stream` or `builtin`.
    pub mode: String,
    /// `warm` or `process`; `None`: warm when its runtime has a host.
    pub isolation: Option<String>,
    /// `none`, `process`, `namespace` or `strict`; `None`: `process`.
    pub sandbox: Option<String>,
    /// Seconds; `None`: the worker's default.
    pub poll_interval: Option<f64>,
    /// Seconds; `None`: the worker's default.
    pub timeout: Option<f64>,
    /// `skip`, `once` or `all`.
    pub missed: String,
    /// Seconds; `None`: no tick is moved.
    pub jitter: Option<f64>,
    /// Seconds; `None`: it sends no canary.
    pub canary: Option<f64>,
    /// Its own limits.
    pub limits: Value,
    /// Failures in a row after which it is paused; `None`: never.
    pub pause_after: Option<i32>,
    /// The content that its pack has now.
    pub pack_digest: Option<String>,
    /// Refs of its triggers; the first is for events that name none.
    pub triggers: Vec<String>,
}

/// A sensor, and what tells by comparison whether its row, its pack or its runtime was written since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// `sensor.id`.
    pub id: i64,
    /// Made of the transactions that last wrote these rows.
    pub fingerprint: i64,
}

/// Every enabled sensor, but for those of disabled packs and those that are paused. Cheap, however many they are.
pub async fn list_enabled(pool: &PgPool) -> sqlx::Result<Vec<Listed>> {
    sqlx::query_as!(
        Listed,
        r#"SELECT s.id, hash_record_extended((s.xmin, p.xmin, r.xmin), 0) AS "fingerprint!"
           FROM sensor s LEFT JOIN pack p ON p.id = s.pack LEFT JOIN runtime r ON r.id = s.runtime
           WHERE s.enabled AND p.enabled IS NOT FALSE
             AND NOT EXISTS (SELECT FROM sensor_state x WHERE x.sensor = s.id AND x.paused)
           ORDER BY s.id"#
    )
    .fetch_all(pool)
    .await
}

/// Tells by comparison whether any sensor's triggers, or their refs, are others than they were.
pub async fn fingerprint_of_triggers(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT COALESCE(bit_xor(hash_record_extended((st.sensor, st.position, t.id, t.ref), 0)), 0) AS "all!"
           FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger"#
    )
    .fetch_one(pool)
    .await
}

/// Those of these that are enabled, with all that running them needs.
pub async fn find_enabled(pool: &PgPool, ids: &[i64]) -> sqlx::Result<Vec<SensorRow>> {
    sqlx::query_as!(
        SensorRow,
        r#"SELECT s.id, s.ref AS "ref!", s.runtime, r.ref AS "runtime_ref?", s.entrypoint, s.config, s.param_schema, s.mode,
                  s.isolation, s.sandbox, s.poll_interval, s.timeout, s.missed, s.jitter, s.canary,
                  s.limits, s.pause_after, p.digest AS "pack_digest?",
                  ARRAY(SELECT t.ref FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger
                        WHERE st.sensor = s.id ORDER BY st.position, t.id) AS "triggers!: Vec<String>"
           FROM sensor s LEFT JOIN pack p ON p.id = s.pack LEFT JOIN runtime r ON r.id = s.runtime
           WHERE s.enabled AND p.enabled IS NOT FALSE
             AND NOT EXISTS (SELECT FROM sensor_state x WHERE x.sensor = s.id AND x.paused) AND s.id = ANY($1)
           ORDER BY s.id"#,
        ids
    )
    .fetch_all(pool)
    .await
}

/// The id of a configuration's snapshot, stored once per distinct one. Secrets are masked by the caller. A snapshot that
/// exists is written again, unchanged: only so it is returned when another process has just committed it.
pub async fn snapshot_config(pool: &PgPool, sensor: i64, digest: &str, masked: &Value) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"INSERT INTO sensor_config (sensor, digest, config) VALUES ($1, $2, $3)
           ON CONFLICT (sensor, digest) DO UPDATE SET digest = EXCLUDED.digest RETURNING id"#,
        sensor,
        digest,
        masked
    )
    .fetch_one(pool)
    .await
}
