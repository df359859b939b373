//! A sensor that nobody should poll for now, and one that should be polled again.
//!
//! The wish is a column, and the rest follows from it: the triggers of the table give the sensor its status, the version of
//! the configuration rises, and whoever runs the sensor lets it go.

use attune_common::repositories::sensor_order;
use serde::Serialize;
use sqlx::PgPool;

/// How a sensor is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Its ref.
    pub r#ref: String,
    /// Whether it is paused.
    pub paused: bool,
    /// Whether it was not before.
    pub changed: bool,
    /// Its status,
    pub status: String,
    /// and the reason of that.
    pub reason: Option<String>,
}

/// Pauses a sensor, for this reason. `None`: there is no such sensor.
pub async fn pause(pool: &PgPool, name: &str, reason: Option<&str>) -> sqlx::Result<Option<Paused>> {
    let Some(sensor) = sensor_order::find(pool, name).await? else { return Ok(None) };
    let changed = sensor_order::pause(pool, sensor.id, reason).await?;
    now(pool, name, changed).await
}

/// Lets a sensor be polled again. `None`: there is no such sensor.
pub async fn resume(pool: &PgPool, name: &str) -> sqlx::Result<Option<Paused>> {
    let Some(sensor) = sensor_order::find(pool, name).await? else { return Ok(None) };
    let changed = sensor_order::resume(pool, sensor.id).await?;
    now(pool, name, changed).await
}

async fn now(pool: &PgPool, name: &str, changed: bool) -> sqlx::Result<Option<Paused>> {
    let now = sensor_order::find(pool, name).await?;
    Ok(now.map(|sensor| Paused {
        r#ref: name.to_owned(),
        paused: sensor.paused,
        changed,
        status: sensor.status,
        reason: sensor.reason,
    }))
}
