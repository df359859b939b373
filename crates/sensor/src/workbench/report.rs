//! What came of a poll by hand.

use std::time::Duration;

use attune_executor::unloaded::{Failed, Library};
use serde::Serialize;
use serde_json::Value;

use super::Admission;
use crate::definition::Sensor;
use crate::generator::event_of;
use crate::runtime::PollOutput;

/// Everything that a poll gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The sensor's ref, or the name of its file.
    pub sensor: String,
    /// Why it failed, as the service would record it.
    pub error: Option<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// The events, in their order.
    pub events: Vec<Seen>,
    /// What was meant as an event and can not be stored.
    pub set_aside: Vec<SetAside>,
    /// What it remembers afterwards.
    pub state: Value,
    /// What it printed for people.
    pub log: String,
    /// How long it ran.
    pub duration_ms: f64,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// The trigger that it is for; code by itself has none.
    pub trigger: Option<String>,
    /// What it says.
    pub payload: Value,
    /// Its key.
    pub key: Option<String>,
    /// Why it would be set aside.
    pub refused: Option<String>,
}

/// Bytes that are no event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetAside {
    /// As they came, as far as they are text.
    pub raw: String,
    /// Why.
    pub reason: String,
}

impl Report {
    /// Whether the poll succeeded.
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }
}

/// What a poll, or a stream in its time, gave.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) output: PollOutput,
    pub(super) error: Option<String>,
    pub(super) notes: Vec<String>,
    pub(super) took: Duration,
}

/// The report of one poll or stream.
pub(super) fn make(library: &Library<'_>, sensor: &Sensor, state: Value, ran: Ran) -> Result<Report, Failed> {
    let Ran { output, error, notes, took } = ran;
    let set_aside = |rejected: attune_core::output::Rejected| SetAside {
        raw: String::from_utf8_lossy(&rejected.raw).into_owned(),
        reason: rejected.reason.to_string(),
    };
    let admission = Admission::of(library, sensor)?;
    let events = output.events.into_iter().map(|payload| look_at(&admission, sensor, payload));
    Ok(Report {
        sensor: sensor.row.r#ref.clone(),
        error,
        notes,
        events: events.collect(),
        set_aside: output.rejected.into_iter().map(set_aside).collect(),
        state: output.state.unwrap_or(state),
        log: output.log,
        duration_ms: milliseconds(took),
    })
}

/// With one decimal, which is as exact as a person reads.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 10.0
}

/// An event as ingest would see it.
fn look_at(admission: &Admission, sensor: &Sensor, payload: Value) -> Seen {
    let Some(event) = event_of(sensor, payload.clone()) else {
        return Seen { trigger: None, payload, key: None, refused: None };
    };
    let refused = admission.check(&event).err().map(|refusal| refusal.to_string());
    Seen { trigger: Some(event.trigger), payload: event.payload, key: event.key, refused }
}
