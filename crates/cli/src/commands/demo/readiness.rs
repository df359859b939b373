//! Waiting until the sensors have what they need: their seconds count from then on.

use std::collections::HashMap;
use std::time::Duration;

use attune_common::repositories::journey::{self, Fare};
use sqlx::PgPool;
use tokio::time::Instant;

use super::screen::Screen;
use super::showcase;

/// Downloads may be slow; an environment has its own limit, and this is beyond it.
const PATIENCE: Duration = Duration::from_mins(20);
/// Between looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// Waits until each sensor was polled once, well or badly, or can not be; and says meanwhile what it waits for.
pub(super) async fn wait(pool: &PgPool, screen: &Screen) -> anyhow::Result<()> {
    let (start, mut said) = (Instant::now(), HashMap::new());
    loop {
        let sensors = journey::list_sensors(pool, showcase::REF).await?;
        for sensor in &sensors {
            tell(sensor, &mut said, screen);
        }
        if !sensors.is_empty() && sensors.iter().all(is_settled) {
            screen.note(&format!("Everything is ready after {:.1} s", start.elapsed().as_secs_f64()));
            return Ok(());
        }
        anyhow::ensure!(start.elapsed() < PATIENCE, "the sensors did not become ready in {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
}

fn is_settled(sensor: &Fare) -> bool {
    sensor.polls > 0 || sensor.status == "unschedulable"
}

fn tell(sensor: &Fare, said: &mut HashMap<String, String>, screen: &Screen) {
    let Some(words) = sensor.reason.as_ref().or(sensor.last_error.as_ref()) else { return };
    if said.get(&sensor.sensor) != Some(words) {
        said.insert(sensor.sensor.clone(), words.clone());
        screen.note(&format!("{}: {}", sensor.sensor, words.lines().next().unwrap_or_default()));
    }
}
