//! What the assigner knows of sensors from one round to the next, so that a round hands over only what is new or changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use attune_common::repositories::config_version;
use attune_common::repositories::sensor::{self, SensorRow, SensorSet};
use attune_executor::apart::apart;
use sqlx::PgPool;

use super::look_again::Forgotten;
use super::scope::Scope;
use crate::definition::Sensor;

/// The enabled sensors, and what the manager has of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    config: Option<config_version::Known>,
    /// By id.
    pub(super) sensors: BTreeMap<i64, Arc<Sensor>>,
    given: HashMap<i64, (i64, Arc<Sensor>)>,
}

impl Known {
    /// The config version at which they were read.
    pub(super) fn version(&self) -> Option<i64> {
        self.config.map(|known| known.version)
    }

    /// Reads what changed: these, whether they still are there or not.
    pub(super) async fn renew(&mut self, pool: &PgPool) -> sqlx::Result<BTreeSet<i64>> {
        let (now, set) = sensor::load_sensor_set(pool, self.config).await?;
        let changed = self.take(set).await;
        self.config = Some(now);
        Ok(changed)
    }

    /// A sensor whose row is as it was stays the same value, although what belongs to it may have changed. The others are made
    /// apart, since their schemas are an author's work.
    async fn take(&mut self, set: SensorSet) -> BTreeSet<i64> {
        let (mut renewed, mut new) = (Vec::new(), Vec::new());
        for row in set.sensors {
            match self.sensors.get(&row.id) {
                Some(sensor) if sensor.row == row => renewed.push((row.id, Arc::clone(sensor))),
                _ => new.push(row),
            }
        }
        let make = |row: SensorRow| (row.id, Arc::new(Sensor::new(row)));
        renewed.extend(apart(move || new.into_iter().map(make).collect::<Vec<_>>()).await);
        let gone = self.sensors.extract_if(.., |id, _| !set.changed.keeps(*id)).map(|(id, _)| id);
        let changed = gone.chain(renewed.iter().map(|(id, _)| *id)).collect();
        self.sensors.extend(renewed);
        changed
    }

    /// Those that a round is about.
    pub(super) fn within<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> Box<dyn Iterator<Item = (&'a i64, &'a Arc<Sensor>)> + 'a> {
        match scope {
            Scope::All => Box::new(self.sensors.iter()),
            Scope::Only(sensors) => Box::new(sensors.iter().filter_map(|id| self.sensors.get_key_value(id))),
        }
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

    #[tokio::test]
    async fn only_what_changed_or_was_forgotten_is_given_again() {
        let mut known = Known::default();
        let set = |config| SensorSet {
            sensors: vec![SensorRow { id: 1, config, ..row() }, SensorRow { id: 2, ..row() }],
            ..SensorSet::default()
        };
        assert_eq!(known.take(set(json!({}))).await, BTreeSet::from([1, 2]));
        let first: Vec<_> = known.sensors.values().cloned().collect();
        for sensor in &first {
            known.give(sensor, 7);
        }
        known.take(set(json!({"n": 1}))).await;
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
