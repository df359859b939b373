//! A sensor that failed too often in a row is paused, if its author said how often that is.

use attune_common::repositories::sensor_state;
use sqlx::PgPool;

use crate::definition::Sensor;

/// Pauses a sensor that has failed for the last time that is granted. Should that fail, the next failure does it.
pub(crate) async fn after(pool: &PgPool, sensor: &Sensor, epoch: i64, failures: u32, error: &str) {
    let granted = sensor.row.pause_after.and_then(|granted| u32::try_from(granted).ok());
    if granted.is_none_or(|granted| failures < granted) {
        return;
    }
    let s = if failures == 1 { "" } else { "s" };
    let reason = format!("it was paused after {failures} failure{s} in a row; the last one: {error}");
    match sensor_state::pause(pool, sensor.row.id, epoch, &reason).await {
        Ok(true) => {
            tracing::warn!(sensor.ref = %sensor.row.r#ref, sensor.failures = failures, "A sensor was paused");
        }
        Ok(false) => {}
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "A sensor that failed too often could not be paused");
        }
    }
}
