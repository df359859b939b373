//! From submissions to the arrays of the ingest statement, and from its answer back to each submission.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use attune_common::repositories::event::{Batch, Inserted};

use super::Outcome;
use super::prepare::{Prepared, PreparedEvent};
use super::submission::{Origin, Receipt, RejectedEvent, SensorCommit};

/// How long an event's key keeps a second one out.
const KEY_WINDOW: Duration = Duration::from_hours(7 * 24);

/// A batch with what is known only when it is put together.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) batch: Batch,
    /// Keys in this batch: one statement cannot insert a key twice.
    keys: HashSet<(String, String)>,
    /// The epoch under which each sensor takes part. The statement fences by sensor, so one batch takes one epoch of each.
    epochs: HashMap<i64, i64>,
    sensors: HashSet<i64>,
    events: HashSet<i64>,
}

/// Puts submissions together. One that shares a sensor with an earlier one is merged into its commit.
pub(super) fn gather_columns<'a>(batch: impl Iterator<Item = &'a Prepared>) -> Columns {
    let mut columns = Columns::default();
    for prepared in batch {
        columns.add(prepared);
    }
    columns
}

impl Columns {
    fn add(&mut self, prepared: &Prepared) {
        if let Origin::Sensor(commit) = &prepared.submission.origin {
            self.epochs.entry(commit.sensor).or_insert(commit.epoch);
        }
        if !self.takes(prepared) {
            return;
        }
        let mut duplicates = prepared.duplicates;
        for event in &prepared.events {
            if self.is_new_key(prepared, event) {
                self.add_event(prepared, event);
            } else {
                duplicates += 1;
            }
        }
        if let Some(commit) = prepared.submission.origin.commit() {
            self.add_sensor(commit, duplicates, prepared.not_stored);
            commit
                .rejected
                .iter()
                .chain(&prepared.rejected)
                .for_each(|rejected| self.add_rejected(commit, rejected));
        }
    }

    fn takes(&self, prepared: &Prepared) -> bool {
        let commit = prepared.submission.origin.commit();
        commit.is_none_or(|commit| self.epochs.get(&commit.sensor) == Some(&commit.epoch))
    }

    fn is_new_key(&mut self, prepared: &Prepared, event: &PreparedEvent) -> bool {
        let key = prepared.submission.events[event.index].key.clone();
        key.is_none_or(|key| self.keys.insert((key_source(&prepared.submission.origin), key)))
    }

    fn add_event(&mut self, prepared: &Prepared, event: &PreparedEvent) {
        let source = &prepared.submission.events[event.index];
        let e = &mut self.batch.events;
        e.id.push(event.id);
        e.trigger.push(event.trigger);
        e.trigger_ref.push(source.trigger.clone());
        e.trigger_params.push(source.trigger_params.clone());
        e.key_source.push(source.key.is_some().then(|| key_source(&prepared.submission.origin)));
        e.key_expires.push(source.key.is_some().then(|| event.created + KEY_WINDOW));
        e.key.push(source.key.clone());
        e.payload.push(event.payload.clone());
        e.created.push(event.created);
        let origin = &prepared.submission.origin;
        if let Origin::Run { cause, .. } = origin {
            self.batch.causes.add(e.id.len(), cause.execution, cause.depth, cause.root);
        }
        let sensor = origin.commit();
        e.sensor.push(sensor.map(|commit| commit.sensor));
        e.sensor_ref.push(sensor.map(|commit| commit.sensor_ref.clone()));
        e.sensor_config.push(sensor.and_then(|commit| commit.config));
        e.pack_digest.push(sensor.and_then(|commit| commit.pack_digest.clone()));
        e.source.push(origin.source().map(str::to_owned));
        self.add_enforcements(&source.trigger, event);
    }

    fn add_enforcements(&mut self, trigger_ref: &str, event: &PreparedEvent) {
        let f = &mut self.batch.enforcements;
        for enforcement in &event.enforcements {
            let execution = enforcement.outcome.as_ref().ok();
            f.event.push(event.id);
            f.created.push(event.created);
            f.trigger_ref.push(trigger_ref.to_owned());
            f.rule.push(enforcement.rule);
            f.rule_ref.push(enforcement.rule_ref.clone());
            f.rule_revision.push(enforcement.rule_revision);
            f.reason.push(enforcement.outcome.as_ref().err().cloned());
            f.action.push(execution.map(|execution| execution.action));
            f.action_ref.push(execution.map(|execution| execution.action_ref.clone()));
            f.runtime.push(execution.and_then(|execution| execution.runtime));
            f.params.push(execution.map(|execution| execution.params.clone()));
            f.pack_digest.push(execution.and_then(|execution| execution.pack_digest.clone()));
        }
    }

    fn add_sensor(&mut self, commit: &SensorCommit, duplicates: usize, rejected: usize) {
        let s = &mut self.batch.sensors;
        let [duplicates, rejected] =
            [duplicates, rejected].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        if let Some(at) = s.sensor.iter().position(|sensor| *sensor == commit.sensor) {
            s.state[at] = commit.state.clone().or_else(|| s.state[at].take());
            s.polls[at] += commit.polls;
            s.duplicates[at] += duplicates;
            s.rejected[at] += rejected;
            s.lateness_ms[at] = commit.lateness_ms.or(s.lateness_ms[at]);
            s.contact[at] |= commit.contact;
            s.heard[at] |= commit.heard;
            s.ticks[at] = commit.ticks.clone().or_else(|| s.ticks[at].take());
            return;
        }
        s.sensor.push(commit.sensor);
        s.epoch.push(commit.epoch);
        s.state.push(commit.state.clone());
        s.polls.push(commit.polls);
        s.duplicates.push(duplicates);
        s.rejected.push(rejected);
        s.lateness_ms.push(commit.lateness_ms);
        s.contact.push(commit.contact);
        s.ticks.push(commit.ticks.clone());
        s.heard.push(commit.heard);
    }

    fn add_rejected(&mut self, commit: &SensorCommit, rejected: &RejectedEvent) {
        let r = &mut self.batch.rejected;
        r.sensor.push(commit.sensor);
        r.sensor_ref.push(commit.sensor_ref.clone());
        r.trigger_ref.push(rejected.trigger.clone());
        r.raw.push(rejected.raw.clone());
        r.reason.push(rejected.reason.replace('\0', "\\0"));
    }

    /// Takes the statement's answer.
    pub(super) fn note(&mut self, inserted: Inserted) {
        self.sensors.extend(inserted.sensors);
        self.events.extend(inserted.events);
    }

    /// What the statement did with one submission.
    pub(super) fn outcome_of(&self, prepared: &Prepared) -> Outcome {
        if !self.takes(prepared) {
            return Outcome::Stale;
        }
        let commit = prepared.submission.origin.commit();
        if commit.is_some_and(|commit| !self.sensors.contains(&commit.sensor)) {
            return Outcome::Fenced;
        }
        let set_aside = prepared.rejected.len() + prepared.not_stored;
        let rejected = set_aside + commit.map_or(0, |commit| commit.rejected.len());
        let mut events = vec![None; prepared.submission.events.len()];
        let mut enforcements = vec![0; events.len()];
        let mut failed = enforcements.clone();
        for event in prepared.events.iter().filter(|event| self.events.contains(&event.id)) {
            events[event.index] = Some(event.id);
            enforcements[event.index] = event.enforcements.len();
            failed[event.index] = event.enforcements.iter().filter(|it| it.outcome.is_err()).count();
        }
        let taken = events.iter().flatten().count();
        let duplicates = events.len() - taken - set_aside;
        Outcome::Committed(Receipt { events, duplicates, rejected, enforcements, failed })
    }
}

/// Whose key it is. Posts have a name space of their own, so that no poster can use up the keys of a sensor or a timer; and so
/// have the runs of an action.
pub(super) fn key_source(origin: &Origin) -> String {
    match origin {
        Origin::Sensor(commit) => commit.sensor_ref.clone(),
        Origin::Post { .. } | Origin::SensorRun { .. } => {
            format!("post:{}", origin.source().unwrap_or_default())
        }
        Origin::Run { cause, .. } => format!("run:{}", cause.action_ref),
        Origin::Own { source } => own_key_source(source),
    }
}

/// `event_key.source` of what Attune itself submits.
pub fn own_key_source(source: &str) -> String {
    format!("attune:{source}")
}
