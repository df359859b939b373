//! Whether an event may be taken, before any rule looks at it.

use std::ops::Range;
use std::sync::Arc;

use attune_core::output;
use serde_json::Value;

use super::effort::Effort;
use super::error::Refusal;
use super::rates::{Kind, Taking};
use super::submission::{NewEvent, Submission};
use crate::rules::{RuleBook, Trigger};

/// The longest key and the longest source of an event, in bytes.
const LONGEST_KEY: usize = 1024;

/// The trigger of an event that may be taken, and which of its rules are about the event's parameters.
pub(super) async fn admit<'a>(
    book: &'a RuleBook,
    submission: &Arc<Submission>,
    index: usize,
    taking: &mut Taking<'_>,
    effort: &mut Effort,
) -> Result<(&'a Trigger, Range<usize>), Refusal> {
    let name = &submission.events[index].trigger;
    let trigger = book.trigger(name).ok_or_else(|| Refusal::UnknownTrigger(name.clone()))?;
    if !trigger.enabled {
        return Err(Refusal::DisabledTrigger(name.clone()));
    }
    let (checked, given) = (Arc::clone(trigger), Arc::clone(submission));
    let look = move || {
        let event = &given.events[index];
        check(&checked, event).map(|()| checked.places_for(event.trigger_params.as_ref()))
    };
    let places = effort.one(look).await.map_err(Refusal::OutOfWork)??;
    if let Some((sensor, sensor_ref, limit)) = submission.origin.rate(name) {
        taking.take(Kind::Sensor, sensor, sensor_ref, limit).map_err(Refusal::Held)?;
    }
    taking.take(Kind::Trigger, trigger.id, name, trigger.max_per_minute).map_err(Refusal::Held)?;
    Ok((trigger, places))
}

/// Whether events like this one may be stored, whatever else is the case.
pub fn check(trigger: &Trigger, event: &NewEvent) -> Result<(), Refusal> {
    let broken =
        |fault: &String| Refusal::BrokenSchema { trigger: event.trigger.clone(), fault: fault.clone() };
    let _note = trigger.note();
    let schema = trigger.payload_schema.as_ref().map_err(broken)?;
    schema.validate(&event.payload).map_err(|violation| Refusal::Payload(violation.to_string()))?;
    trigger.check_params(event.trigger_params.as_ref()).map_err(Refusal::TriggerParams)?;
    for value in std::iter::once(&event.payload).chain(&event.trigger_params) {
        storable(value)?;
    }
    event.key.as_deref().map_or(Ok(()), |key| check_key("key", key))
}

/// Keys and sources go into an index, whose entries are small, and into TEXT, which has no NUL.
pub(super) fn check_key(field: &'static str, text: &str) -> Result<(), Refusal> {
    let reason = match text {
        text if text.len() > LONGEST_KEY => format!("is longer than {LONGEST_KEY} bytes"),
        text if text.contains('\0') => "holds a NUL".to_owned(),
        _ => return Ok(()),
    };
    Err(Refusal::Key { field, reason })
}

fn storable(value: &Value) -> Result<(), Refusal> {
    output::storable(value).map_err(|reason| Refusal::NotStorable(reason.to_string()))
}
