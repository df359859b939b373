//! What ingest would say of a sensor's events, without a database.

use std::collections::HashMap;

use attune_executor::ingest::{self, NewEvent, Refusal};
use attune_executor::rules::Trigger;
use attune_executor::unloaded::{Failed, Library};

use crate::definition::Sensor;

/// The triggers of a sensor, as they are defined.
#[derive(Debug, Default)]
pub struct Admission(HashMap<String, Option<Trigger>>);

impl Admission {
    /// What a library knows of the triggers of a sensor.
    pub fn of(library: &Library<'_>, sensor: &Sensor) -> Result<Self, Failed> {
        let look = |name: &String| {
            let row = library.trigger(name)?;
            Ok((name.clone(), row.as_ref().map(Trigger::alone)))
        };
        sensor.row.triggers.iter().map(look).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an event would be stored.
    pub(super) fn check(&self, event: &NewEvent) -> Result<(), Refusal> {
        match self.0.get(&event.trigger) {
            None | Some(None) => Err(Refusal::UnknownTrigger(event.trigger.clone())),
            Some(Some(trigger)) if !trigger.enabled => Err(Refusal::DisabledTrigger(event.trigger.clone())),
            Some(Some(trigger)) => ingest::check(trigger, event),
        }
    }
}
