//! What the assigner knows of sensors from one round to the next, so that a round hands over only what is new or changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use attune_common::repositories::sensor::{self, SensorRow};
use sqlx::PgPool;

use super::look_again::Forgotten;
use crate::definition::Sensor;

/// The enabled sensors, and what the manager has of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The config version at which they were read.
    pub(super) version: Option<i64>,
    /// By id.
    pub(super) sensors: BTreeMap<i64, Arc<Sensor>>,
    fingerprints: HashMap<i64, i64>,
    triggers: Option<i64>,
    given: HashMap<i64, (i64, Arc<Sensor>)>,
}

impl Known {
    /// Reads what changed up to this version. All fingerprints are older than the rows that are read, so what changes
    /// meanwhile is read again the next time.
    pub(super) async fn renew(&mut self, pool: &PgPool, version: i64) -> sqlx::Result<()> {
        let triggers = sensor::fingerprint_of_triggers(pool).await?;
        if self.triggers != Some(triggers) {
            self.fingerprints.clear();
        }
        let listed = sensor::list_enabled(pool).await?;
        let listed = listed.into_iter().map(|listed| (listed.id, listed.fingerprint)).collect();
        let changed = self.changed(&listed);
        if !changed.is_empty() {
            let rows = sensor::find_enabled(pool, &changed).await?;
            self.take(&changed, rows);
        }
        self.sensors.retain(|id, _| listed.contains_key(id));
        (self.fingerprints, self.triggers, self.version) = (listed, Some(triggers), Some(version));
        Ok(())
    }

    fn changed(&self, listed: &HashMap<i64, i64>) -> Vec<i64> {
        let is_other =
            |id: &i64, now: &i64| self.fingerprints.get(id) != Some(now) || !self.sensors.contains_key(id);
        listed.iter().filter(|(id, now)| is_other(id, now)).map(|(id, _)| *id).collect()
    }

    /// Takes the rows of these sensors as they are. A sensor whose row is as it was stays the same value.
    fn take(&mut self, changed: &[i64], rows: Vec<SensorRow>) {
        let mut before: HashMap<i64, Arc<Sensor>> =
            changed.iter().filter_map(|id| Some((*id, self.sensors.remove(id)?))).collect();
        self.sensors.extend(rows.into_iter().map(|row| match before.remove(&row.id) {
            Some(sensor) if sensor.row == row => (row.id, sensor),
            _ => (row.id, Arc::new(Sensor::new(row))),
        }));
    }

    /// The manager has these no more.
    pub(super) fn forget(&mut self, forgotten: &Forgotten) {
        self.given.retain(|sensor, _| !forgotten.has(*sensor));
    }

    /// The manager was given a sensor under this epoch.
    pub(super) fn give(&mut self, sensor: &Arc<Sensor>, epoch: i64) {
        self.given.insert(sensor.row.id, (epoch, Arc::clone(sensor)));
    }

    /// Whether the manager was given the sensor as it is, under this epoch.
    pub(super) fn has_given(&self, sensor: &Arc<Sensor>, epoch: i64) -> bool {
        let given = self.given.get(&sensor.row.id);
        given.is_some_and(|(under, as_it_was)| *under == epoch && Arc::ptr_eq(as_it_was, sensor))
    }

    /// What does not belong here any more need not be remembered.
    pub(super) fn keep_only(&mut self, belongs_here: impl Fn(i64) -> bool) {
        self.given.retain(|sensor, _| belongs_here(*sensor));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manager::look_again::LookAgain;
    use crate::runtime::tests::row;

    #[test]
    fn only_what_changed_or_was_forgotten_is_given_again() {
        let mut known = Known::default();
        let rows = |config| vec![SensorRow { id: 1, config, ..row() }, SensorRow { id: 2, ..row() }];
        known.take(&[1, 2], rows(json!({})));
        let first: Vec<_> = known.sensors.values().cloned().collect();
        for sensor in &first {
            known.give(sensor, 7);
        }
        known.take(&[1, 2], rows(json!({"n": 1})));
        let given = |known: &Known| known.sensors.values().map(|s| known.has_given(s, 7)).collect::<Vec<_>>();
        assert_eq!(given(&known), [false, true]);
        assert!(!known.has_given(&first[1], 8));
        let look_again = LookAgain::default();
        look_again.forgot(2);
        known.forget(&look_again.take());
        assert_eq!(given(&known), [false, false]);
        known.give(&first[1], 7);
        known.forget(&look_again.take());
        assert_eq!(given(&known), [false, true]);
        look_again.forgot_all();
        known.forget(&look_again.take());
        assert_eq!(given(&known), [false, false]);
    }
}
