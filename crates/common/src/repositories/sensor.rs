//! Table `sensor` as the sensor service needs it, and `sensor_config`, the snapshots that events point at.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::config_version::{Changed, Known, Snapshot};
use crate::readable::{Faults, Readable};

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
    /// Its config version.
    pub version: i64,
    /// Why it cannot be used: a column cannot be read, which is null then, or it was put aside.
    pub fault: Option<String>,
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
    sqlx::query!(
        r#"SELECT s.id, s.ref AS "ref!", s.runtime, r.ref AS "runtime_ref?", s.entrypoint, s.config AS "config: Readable",
                  s.param_schema AS "param_schema: Readable", s.mode,
                  s.isolation, s.sandbox, s.poll_interval, s.timeout, s.missed, s.jitter, s.canary,
                  s.limits AS "limits: Readable", s.api AS "api: Readable", s.max_per_minute, s.pause_after, p.digest AS "pack_digest?",
                  ARRAY(SELECT t.ref FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger
                        WHERE st.sensor = s.id ORDER BY st.position, t.id) AS "triggers!: Vec<String>",
                  s.config_version AS version, f.reason AS "aside?"
           FROM sensor s LEFT JOIN pack p ON p.id = s.pack LEFT JOIN runtime r ON r.id = s.runtime
           LEFT JOIN fuse f ON f.noun = 'sensor' AND f.thing = s.id AND f.version = s.config_version
           WHERE s.enabled AND p.enabled IS NOT FALSE
             AND NOT EXISTS (SELECT FROM sensor_state x WHERE x.sensor = s.id AND x.paused) AND s.id = ANY($1)
           ORDER BY s.id"#,
        ids
    )
    .map(|row| {
        let mut faults = Faults::default();
        SensorRow {
            id: row.id,
            r#ref: row.r#ref,
            runtime: row.runtime,
            runtime_ref: row.runtime_ref,
            entrypoint: row.entrypoint,
            config: faults.take("config", row.config),
            param_schema: faults.take("param_schema", row.param_schema),
            mode: row.mode,
            isolation: row.isolation,
            sandbox: row.sandbox,
            poll_interval: row.poll_interval,
            timeout: row.timeout,
            missed: row.missed,
            jitter: row.jitter,
            canary: row.canary,
            limits: faults.take("limits", row.limits),
            api: faults.take("api", row.api),
            max_per_minute: row.max_per_minute,
            pause_after: row.pause_after,
            pack_digest: row.pack_digest,
            triggers: row.triggers,
            version: row.version,
            fault: faults.and(row.aside).into_reason(),
        }
    })
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
