//! What a round of the assigner is about: all sensors, or those that changed.
//!
//! Where a sensor belongs follows from its own row, from who is alive and from what those can run. So while the workers are
//! as they were when all was last looked at, and all that belonged here was had, only what changed since can belong elsewhere.
//! However quiet it is, all is looked at now and then.

use std::collections::BTreeSet;
use std::time::Duration;

use attune_common::repositories::worker::LiveWorker;
use tokio::time::Instant;

/// All is looked at this often.
const WHOLE_PERIOD: Duration = Duration::from_secs(10);

/// Which sensors a round is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    All,
    /// These.
    Only(BTreeSet<i64>),
}

impl Scope {
    pub(super) fn has(&self, sensor: i64) -> bool {
        match self {
            Self::All => true,
            Self::Only(sensors) => sensors.contains(&sensor),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Only(sensors) if sensors.is_empty())
    }
}

/// What stood when all was last looked at.
#[derive(Debug)]
pub(super) struct Seen {
    /// How long a lease lasts.
    lease: Duration,
    workers: Vec<LiveWorker>,
    at: Option<Instant>,
    /// Something that belongs here was not free yet, or a round failed.
    unsettled: bool,
    /// When the database last failed to answer.
    lost_contact: Option<Instant>,
    /// The config version for which the machine was last looked at.
    looked: Option<i64>,
}

impl Seen {
    /// Nothing yet.
    pub(super) fn new(lease: Duration) -> Self {
        Self { lease, workers: Vec::new(), at: None, unsettled: false, lost_contact: None, looked: None }
    }

    /// Whether all is as it was but for what is known to have changed.
    pub(super) fn stands(&self, workers: &[LiveWorker], now: Instant) -> bool {
        let is_fresh = self.at.is_some_and(|at| now.duration_since(at) < WHOLE_PERIOD);
        let key = |worker: &LiveWorker| (worker.id, worker.capabilities.clone());
        is_fresh && !self.unsettled && self.workers.iter().map(key).eq(workers.iter().map(key))
    }

    /// Whether the machine was looked at for this config version.
    pub(super) fn has_looked(&self, version: i64) -> bool {
        self.looked == Some(version)
    }

    /// It was. What changes while somebody looks has another version.
    pub(super) fn note_look(&mut self, version: i64) {
        self.looked = Some(version);
    }

    /// Nobody judges a lease before one lease has passed since its own reconnect.
    pub(super) fn may_judge(&self, now: Instant) -> bool {
        self.lost_contact.is_none_or(|at| now.duration_since(at) >= self.lease)
    }

    /// A round is done that began at `now`.
    pub(super) fn note(&mut self, scope: &Scope, workers: Vec<LiveWorker>, settled: bool, now: Instant) {
        self.unsettled = !settled;
        if *scope == Scope::All {
            (self.workers, self.at) = (workers, Some(now));
        }
    }

    /// A round failed, and nobody knows what it did.
    pub(super) fn failed(&mut self, now: Instant) {
        (self.unsettled, self.lost_contact) = (true, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LEASE: Duration = Duration::from_secs(20);

    fn worker(id: i64) -> LiveWorker {
        LiveWorker { id, name: format!("w{id}"), capabilities: Some(json!({})) }
    }

    #[test]
    fn it_stands_while_the_workers_do_and_for_a_while() {
        let (mut seen, start) = (Seen::new(LEASE), Instant::now());
        assert!(!seen.stands(&[worker(1)], start));
        seen.note(&Scope::All, vec![worker(1)], true, start);
        assert!(seen.stands(&[worker(1)], start));
        assert!(!seen.stands(&[worker(1), worker(2)], start));
        let more = LiveWorker { capabilities: Some(json!({"runtimes": ["ruby"]})), ..worker(1) };
        assert!(!seen.stands(&[more], start));
        let later = start + WHOLE_PERIOD / 2;
        seen.note(&Scope::Only(BTreeSet::from([7])), vec![worker(1)], true, later);
        assert!(seen.stands(&[worker(1)], later));
        assert!(!seen.stands(&[worker(1)], start + WHOLE_PERIOD));
    }

    #[test]
    fn what_could_not_be_had_or_failed_has_all_looked_at() {
        let (mut seen, now) = (Seen::new(LEASE), Instant::now());
        seen.note(&Scope::All, vec![], false, now);
        assert!(!seen.stands(&[], now) && seen.may_judge(now));
        seen.note(&Scope::All, vec![], true, now);
        seen.failed(now);
        assert!(!seen.stands(&[], now) && !seen.may_judge(now) && seen.may_judge(now + LEASE));
    }
}
