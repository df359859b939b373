//! What stands for the database, by the same rules: events and the state that follows from them go in together or not at all,
//! a second event of a key is dropped, and what may not be stored is set aside while its neighbours go in.

use std::collections::HashSet;

use attune_executor::ingest::NewEvent;
use serde_json::{Value, json};

use super::super::Admission;
use crate::definition::Sensor;
use crate::generator::event_of;
use crate::runtime::PollOutput;

/// What one sensor has committed.
#[derive(Debug)]
pub struct Ledger {
    sensor: Sensor,
    /// What may refuse an event. Code by itself has no trigger, and nothing that could.
    admission: Option<Admission>,
    state: Value,
    keys: HashSet<String>,
    duplicates: usize,
}

/// What one commit brought in.
#[derive(Debug, Default)]
pub struct Entry {
    /// The payloads of the events, in their order.
    pub stored: Vec<Value>,
    /// What was set aside, as it came.
    pub set_aside: Vec<Vec<u8>>,
}

impl Ledger {
    /// An empty one.
    pub fn new(mut sensor: Sensor, admission: Admission) -> Self {
        let has_trigger = !sensor.row.triggers.is_empty();
        if !has_trigger {
            sensor.row.triggers.push(sensor.row.r#ref.clone());
        }
        let admission = has_trigger.then_some(admission);
        Self { sensor, admission, state: json!({}), keys: HashSet::new(), duplicates: 0 }
    }

    /// What the sensor goes on from.
    pub fn state(&self) -> &Value {
        &self.state
    }

    /// Events that were dropped since one with their key was there.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// Commits what a poll, or a part of a stream, gave.
    pub fn commit(&mut self, output: PollOutput) -> Entry {
        let set_aside = output.rejected.into_iter().map(|rejected| rejected.raw).collect();
        let mut entry = Entry { set_aside, ..Entry::default() };
        let mut here = HashSet::new();
        for event in output
            .events
            .into_iter()
            .filter_map(|payload| event_of(&self.sensor, payload))
            .collect::<Vec<_>>()
        {
            self.add(event, &mut here, &mut entry);
        }
        self.state = output.state.unwrap_or_else(|| self.state.take());
        entry
    }

    /// `here` has the keys of this commit, of which the first counts whatever becomes of its event.
    fn add(&mut self, event: NewEvent, here: &mut HashSet<String>, entry: &mut Entry) {
        if event.key.as_ref().is_some_and(|key| !here.insert(key.clone())) {
            self.duplicates += 1;
        } else if self.admission.as_ref().is_some_and(|admission| admission.check(&event).is_err()) {
            entry.set_aside.push(event.payload.to_string().into_bytes());
        } else if event.key.is_some_and(|key| !self.keys.insert(key)) {
            self.duplicates += 1;
        } else {
            entry.stored.push(event.payload);
        }
    }
}
