//! Table `sensor` as the sensor service needs it, and `sensor_config`, the snapshots that events point at.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::config_version::{Changed, Known, Snapshot};

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
    /// What its runs may ask of the API, unparsed.
    pub api: Value,
    /// Events that it brings in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
    /// Failures in a row after which it is paused; `None`: never.
    pub pause_after: Option<i32>,
    /// The content that its pack has now.
    pub pack_digest: Option<String>,
    /// Refs of its triggers; the first is for events that name none.
    pub triggers: Vec<String>,
}

/// Sensors at one config version, as far as they are others than the caller knows.
#[derive(Debug, Default)]
pub struct SensorSet {
    /// Those that are not as they were: themselves, their packs, their runtimes or their triggers.
    pub changed: Changed,
    /// Those of them that are enabled, but for those of disabled packs and those that are paused.
    pub sensors: Vec<SensorRow>,
}

/// Reads what is other than known, and what is known then.
pub async fn load_sensor_set(pool: &PgPool, known: Option<Known>) -> sqlx::Result<(Known, SensorSet)> {
    let mut snapshot = Snapshot::take(pool, known).await?;
    let written = list_written(&mut snapshot).await?;
    let sensors = find_enabled(&mut snapshot.tx, &written).await?;
    let changed = snapshot.changed(&written, list_sensors).await?;
    snapshot.tx.commit().await?;
    Ok((snapshot.now, SensorSet { changed, sensors }))
}

/// Which triggers it has, and whether it is paused, counts as written in the sensor. Each part is an index of its own.
async fn list_written(snapshot: &mut Snapshot) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "SELECT id FROM sensor
         WHERE config_version > $1
            OR pack = ANY (ARRAY(SELECT id FROM pack WHERE config_version > $1))
            OR runtime = ANY (ARRAY(SELECT id FROM runtime WHERE config_version > $1))
            OR id = ANY (ARRAY(
                   SELECT sensor FROM sensor_trigger
                   WHERE trigger = ANY (ARRAY(SELECT id FROM trigger WHERE config_version > $1))))",
        snapshot.after
    )
    .fetch_all(&mut *snapshot.tx)
    .await
}

/// One value, since there may be many.
async fn list_sensors(tx: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(r#"SELECT ARRAY(SELECT id FROM sensor) AS "all!""#).fetch_one(tx).await
}

async fn find_enabled(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<SensorRow>> {
    sqlx::query_as!(
        SensorRow,
        r#"SELECT s.id, s.ref AS "ref!", s.runtime, r.ref AS "runtime_ref?", s.entrypoint, s.config, s.param_schema, s.mode,
                  s.isolation, s.sandbox, s.poll_interval, s.timeout, s.missed, s.jitter, s.canary,
                  s.limits, s.api, s.max_per_minute, s.pause_after, p.digest AS "pack_digest?",
                  ARRAY(SELECT t.ref FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger
                        WHERE st.sensor = s.id ORDER BY st.position, t.id) AS "triggers!: Vec<String>"
           FROM sensor s LEFT JOIN pack p ON p.id = s.pack LEFT JOIN runtime r ON r.id = s.runtime
           WHERE s.enabled AND p.enabled IS NOT FALSE
             AND NOT EXISTS (SELECT FROM sensor_state x WHERE x.sensor = s.id AND x.paused) AND s.id = ANY($1)
           ORDER BY s.id"#,
        ids
    )
    .fetch_all(tx)
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
