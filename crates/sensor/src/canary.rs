//! Marked events, which go in with a sensor's own: by them it is seen whether what it says still arrives.
//!
//! One goes in with the poll at whose end it is due, under the same fence and in the same statement. So of a poll that never
//! ends there is none, which is the point. A stream has no such end: while it runs they go in beside what it says
//! ([`crate::stream`]).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use attune_core::schedule;
use attune_core::sensor_status::CANARY;
use attune_executor::ingest::NewEvent;
use chrono::Utc;
use serde_json::json;
use tokio::time::Instant;

use crate::definition::Sensor;

/// When each sensor that sends canaries last sent one.
#[derive(Debug, Default)]
pub(crate) struct Canaries(Mutex<HashMap<i64, Instant>>);

impl Canaries {
    /// The canary that is due now, or that somebody `asked` for. It is due until it was [sent](Self::sent).
    pub(crate) fn due(&self, sensor: &Sensor, asked: bool) -> Option<NewEvent> {
        let every = sensor.canary();
        if every.is_none() && !asked {
            return None;
        }
        let last = self.last().get(&sensor.row.id).copied();
        let is_due = last.is_none_or(|last| every.is_some_and(|every| last.elapsed() >= every));
        (asked || is_due).then(|| canary(sensor))
    }

    /// When the next is due of a sensor that sends some.
    pub(crate) fn next(&self, sensor: &Sensor) -> Option<Instant> {
        let every = sensor.canary()?;
        Some(self.last().get(&sensor.row.id).map_or_else(Instant::now, |last| *last + every))
    }

    /// One is committed.
    pub(crate) fn sent(&self, sensor: &Sensor) {
        self.last().insert(sensor.row.id, Instant::now());
    }

    fn last(&self) -> MutexGuard<'_, HashMap<i64, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn canary(sensor: &Sensor) -> NewEvent {
    let (mark, sent_at) = (hex::encode(rand::random::<[u8; 8]>()), schedule::text(Utc::now()));
    let payload = json!({"sensor": sensor.row.r#ref, "mark": mark, "sent_at": sent_at});
    NewEvent { trigger: CANARY.to_owned(), payload, trigger_params: None, key: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::tests::row;

    #[test]
    fn one_is_due_until_it_was_sent_and_whenever_it_is_asked_for() {
        let canaries = Canaries::default();
        let none = Sensor::new(row());
        assert!(canaries.due(&none, false).is_none());
        assert!(canaries.due(&none, true).is_some());
        let mut row = row();
        (row.id, row.canary) = (2, Some(3600.0));
        let hourly = Sensor::new(row);
        assert!(canaries.due(&hourly, false).is_some());
        let first = canaries.due(&hourly, false).unwrap();
        assert_eq!(first.payload["sensor"], "demo.sensor");
        assert!(canaries.next(&none).is_none() && canaries.next(&hourly).unwrap() <= Instant::now());
        canaries.sent(&hourly);
        assert!(canaries.next(&hourly).unwrap() > Instant::now());
        assert!(canaries.due(&hourly, false).is_none());
        let second = canaries.due(&hourly, true).unwrap();
        assert_ne!(first.payload["mark"], second.payload["mark"]);
    }
}
