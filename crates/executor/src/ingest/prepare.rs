//! One submission, matched against one rule book: everything that its rows will hold, before the database is asked.

use std::collections::HashSet;
use std::sync::Arc;

use attune_core::event::EventView;
use chrono::{DateTime, Utc};

use super::admit::{admit, check_key};
use super::effort::Effort;
use super::enforce::enforce;
use super::error::{IngestError, Refusal};
use super::fan_out::{Bound, Excess, FanOut};
use super::rates::{Over, Rates, Taken, Taking};
use super::submission::{RejectedEvent, Submission};
use crate::group_commit::Weigh;
use crate::rules::RuleBook;

/// A submission with its rows.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The version of the book it was matched against.
    pub(super) version: i64,
    pub(super) submission: Arc<Submission>,
    pub(super) events: Vec<PreparedEvent>,
    /// Set aside by ingest, beside what the program's output already lost.
    pub(super) rejected: Vec<RejectedEvent>,
    /// Events that are held, by their place in the submission. [`Self::set_aside_held`] takes them.
    held: Vec<(usize, Over)>,
    /// Those of them that are counted and not stored.
    pub(super) not_stored: usize,
    /// What its events took of what may be so many in a minute.
    pub(super) taken: Taken,
    /// Dropped because an earlier event of this submission has the same key.
    pub(super) duplicates: usize,
    pub(super) solo: bool,
}

/// An event with what follows from it.
#[derive(Debug, Clone)]
pub(super) struct PreparedEvent {
    /// Its place in the submission.
    pub(super) index: usize,
    pub(super) id: i64,
    pub(super) trigger: i64,
    pub(super) created: DateTime<Utc>,
    /// JSON text.
    pub(super) payload: String,
    pub(super) enforcements: Vec<PreparedEnforcement>,
}

/// A rule that fired.
#[derive(Debug, Clone)]
pub(super) struct PreparedEnforcement {
    pub(super) rule: i64,
    pub(super) rule_ref: String,
    pub(super) rule_revision: i64,
    pub(super) outcome: Result<PreparedExecution, String>,
}

/// The execution of a rule that fired.
#[derive(Debug, Clone)]
pub(super) struct PreparedExecution {
    pub(super) action: i64,
    pub(super) action_ref: String,
    pub(super) runtime: Option<i64>,
    pub(super) pack_digest: Option<String>,
    /// JSON text.
    pub(super) params: String,
}

/// The identity that an event keeps through every attempt to commit it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp<'a> {
    pub(super) ids: &'a [i64],
    pub(super) created: DateTime<Utc>,
}

impl Prepared {
    /// Matches every event. Posted events that cannot be taken are an error, others are set aside. Events that are too much
    /// together are an error that says how many are not. Other tasks go on meanwhile.
    pub(super) async fn new(
        book: &RuleBook,
        submission: &Arc<Submission>,
        stamp: Stamp<'_>,
        taking: &mut Taking<'_>,
        mut effort: Effort,
    ) -> Result<Self, IngestError> {
        let mut prepared = Self {
            version: book.version,
            submission: Arc::clone(submission),
            events: Vec::with_capacity(submission.events.len()),
            rejected: Vec::new(),
            held: Vec::new(),
            not_stored: 0,
            taken: Taken::default(),
            duplicates: 0,
            solo: false,
        };
        if let Some(source) = submission.origin.source() {
            check_key("source", source).map_err(|refusal| IngestError::Refused { index: 0, refusal })?;
        }
        let (mut keys, mut fan_out) = (HashSet::new(), FanOut::default());
        for (index, event) in submission.events.iter().enumerate() {
            effort.next_event(index + 1 == submission.events.len()).await;
            if event.key.as_ref().is_some_and(|key| !keys.insert(key)) {
                prepared.duplicates += 1;
                continue;
            }
            taking.begin(index, event);
            match admit(book, submission, index, taking, &mut effort).await {
                Ok((trigger, places)) => {
                    let view = Arc::new(prepared.view(index, stamp.ids[index], stamp.created));
                    match enforce(trigger, places, &view, &mut fan_out, taking, &mut effort).await {
                        Ok(enforcements) => prepared.add(index, trigger.id, &view, enforcements),
                        Err(Excess::Event(refusal)) => prepared.refuse(index, refusal)?,
                        Err(Excess::Submission(bound)) => return Err(prepared.fits(index, bound)),
                    }
                }
                Err(refusal) => prepared.refuse(index, refusal)?,
            }
        }
        prepared.taken = std::mem::take(&mut taking.taken);
        Ok(prepared)
    }

    fn add(&mut self, index: usize, trigger: i64, view: &EventView, enforcements: Vec<PreparedEnforcement>) {
        let (id, created, payload) = (view.id, view.created, view.payload.to_string());
        self.events.push(PreparedEvent { index, id, trigger, created, payload, enforcements });
    }

    /// The events before this one fill a submission.
    fn fits(&self, index: usize, bound: Bound) -> IngestError {
        let events = &self.submission.events;
        let trigger = events[index].trigger.clone();
        IngestError::FanOut { events: events.len(), fits: index, bound, trigger }
    }

    fn view(&self, index: usize, id: i64, created: DateTime<Utc>) -> EventView {
        let event = &self.submission.events[index];
        let origin = &self.submission.origin;
        EventView {
            id,
            trigger: event.trigger.clone(),
            sensor: origin.commit().map(|commit| commit.sensor_ref.clone()),
            source: origin.source().map(str::to_owned),
            key: event.key.clone(),
            payload: event.payload.clone(),
            trigger_params: event.trigger_params.clone(),
            created,
        }
    }

    fn refuse(&mut self, index: usize, refusal: Refusal) -> Result<(), IngestError> {
        match refusal {
            refusal if self.submission.is_posted() => return Err(IngestError::Refused { index, refusal }),
            Refusal::Held(over) => self.held.push((index, over)),
            refusal => self.set_aside(index, &refusal),
        }
        Ok(())
    }

    fn set_aside(&mut self, index: usize, reason: &dyn ToString) {
        let event = &self.submission.events[index];
        let (trigger, raw) = (Some(event.trigger.clone()), event.payload.to_string().into_bytes());
        self.rejected.push(RejectedEvent { trigger, raw, reason: reason.to_string() });
    }

    /// Keys of the events that are held: they may be in already, and then nothing of them is to be held.
    pub(super) fn held_keys(&self) -> Vec<String> {
        self.held.iter().filter_map(|(index, _)| self.submission.events[*index].key.clone()).collect()
    }

    /// Events that are held are set aside: the first of a minute with their bytes, the rest as a number.
    pub(super) fn set_aside_held(&mut self, rates: &Rates, now: DateTime<Utc>) {
        for (index, over) in std::mem::take(&mut self.held) {
            if rates.stores(&over, now) {
                self.set_aside(index, &over);
            } else {
                self.not_stored += 1;
            }
        }
    }
}

impl Weigh for Prepared {
    fn weight(&self) -> usize {
        1 + self
            .events
            .iter()
            .map(|event| 1 + 2 * event.enforcements.len() + event.payload.len() / 2048)
            .sum::<usize>()
    }

    fn is_solo(&self) -> bool {
        self.solo
    }
}
