//! Marked events, which go in with a sensor's own: by them it is seen whether what it says still arrives.
//!
//! One goes in with the poll at whose end it is due, under the same fence and in the same statement. So of a poll that never
//! ends there is none, which is the point.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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
    /// The canary that is due now, or that somebody `asked` for.
    pub(crate) fn take(&self, sensor: &Sensor, asked: bool) -> Option<NewEvent> {
        let every = sensor.canary();
        if every.is_none() && !asked {
            return None;
        }
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = sent.get(&sensor.row.id);
        let is_due = last.is_none_or(|last| every.is_some_and(|every| last.elapsed() >= every));
        if !asked && !is_due {
            return None;
        }
        sent.insert(sensor.row.id, Instant::now());
        Some(canary(sensor))
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
    fn one_is_sent_when_it_is_due_or_asked_for() {
        let canaries = Canaries::default();
        let none = Sensor::new(row());
        assert!(canaries.take(&none, false).is_none());
        assert!(canaries.take(&none, true).is_some());
        let mut row = row();
        (row.id, row.canary) = (2, Some(3600.0));
        let hourly = Sensor::new(row);
        let first = canaries.take(&hourly, false).unwrap();
        assert_eq!(first.payload["sensor"], "demo.sensor");
        assert!(canaries.take(&hourly, false).is_none());
        let second = canaries.take(&hourly, true).unwrap();
        assert_ne!(first.payload["mark"], second.payload["mark"]);
    }
}
