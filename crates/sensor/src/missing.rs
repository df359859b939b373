//! What enabled sensors need and this machine lacks, told once, at the start.

use std::collections::BTreeMap;

use attune_common::repositories::sensor::{self, SensorRow};
use attune_common::runtime_detection;
use attune_core::pack::refs::pack_of;
use attune_runtimes::equipment::Equipment;
use sqlx::PgPool;

use crate::error::Error;

/// Warns for each runtime and each command that is missing.
pub(crate) async fn warn(pool: &PgPool, equipment: &Equipment) -> Result<(), Error> {
    let (_, set) = sensor::load_sensor_set(pool, None).await.map_err(Error::Sensors)?;
    warn_of_runtimes(&set.sensors, equipment);
    warn_of_commands(&set.sensors, equipment);
    Ok(())
}

fn warn_of_runtimes(sensors: &[SensorRow], equipment: &Equipment) {
    let inventory = equipment.inventory();
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    for sensor in sensors {
        let (Some(runtime), Some(name)) = (sensor.runtime, &sensor.runtime_ref) else { continue };
        if inventory.tool(runtime).is_none() {
            *missing.entry(name).or_default() += 1;
        }
    }
    for (runtime, sensors) in missing {
        let row = inventory.rows.iter().find(|row| row.r#ref == runtime);
        let advice = row.map(runtime_detection::advice).unwrap_or_default().clause();
        tracing::warn!(runtime.ref = %runtime, sensors, "This machine lacks a runtime that enabled sensors need{advice}");
    }
}

fn warn_of_commands(sensors: &[SensorRow], equipment: &Equipment) {
    let mut packs: BTreeMap<&str, usize> = BTreeMap::new();
    for sensor in sensors {
        *packs.entry(pack_of(&sensor.r#ref)).or_default() += 1;
    }
    for (pack, sensors) in packs {
        for unmet in equipment.unmet(pack) {
            tracing::warn!(sensors, error = %unmet, "Enabled sensors can not run on this machine");
        }
    }
}
