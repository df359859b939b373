//! Events of several timers that go into ingest together.

use attune_core::schedule::Due;
use attune_executor::ingest::{NewEvent, Origin, Receipt, Submission};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::fired::{self, SOURCE};
use crate::live::Live;

/// Events of one submission, unless a single timer has more.
const EVENTS: usize = 500;

/// Timers with what each does now. The events of one timer are never divided.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    timers: Vec<(i64, Due)>,
    events: Vec<NewEvent>,
}

impl Batch {
    pub(crate) fn add(&mut self, timer: &Live, due: Due, now: DateTime<Utc>) {
        let params: Value = serde_json::from_str(&timer.name.params).unwrap_or_default();
        for (index, instant) in due.fire.iter().enumerate() {
            // What was left out came before the first.
            let missed = if index == 0 { due.missed } else { 0 };
            self.events.push(fired::event(timer, &params, *instant, missed, now));
        }
        self.timers.push((timer.id, due));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= EVENTS
    }

    pub(crate) fn submission(&self) -> Option<Submission> {
        let events = self.events.clone();
        (!events.is_empty()).then_some(Submission { origin: Origin::Own { source: SOURCE }, events })
    }

    /// Each timer with what it did, and how many of its events are new.
    pub(crate) fn outcomes(&self, receipt: Option<&Receipt>) -> Vec<(i64, &Due, usize)> {
        let mut ids = receipt.map_or(&[][..], |receipt| &receipt.events).iter();
        let mut fired = |due: &Due| ids.by_ref().take(due.fire.len()).flatten().count();
        self.timers.iter().map(|(id, due)| (*id, due, fired(due))).collect()
    }

    /// The same, each timer by itself; nothing when there is only one.
    pub(crate) fn split(&self) -> Vec<Self> {
        if self.timers.len() < 2 {
            return Vec::new();
        }
        let mut events = self.events.iter().cloned();
        let mut one = |(id, due): &(i64, Due)| Self {
            timers: vec![(*id, due.clone())],
            events: events.by_ref().take(due.fire.len()).collect(),
        };
        self.timers.iter().map(&mut one).collect()
    }
}
