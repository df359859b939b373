//! How the manager asks the assigner for a round.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::scope::Scope;

/// What the manager knows and the assigner does not.
#[derive(Debug, Default)]
pub(crate) struct LookAgain {
    forgotten: Mutex<Forgotten>,
    /// Sensors were forgotten.
    pub(crate) sensors: Notify,
    /// The machine lacks a runtime that it is said to have.
    pub(crate) machine: Notify,
}

/// What was assigned and is not run any more.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    all: bool,
    sensors: HashSet<i64>,
}

impl LookAgain {
    /// The manager does not know this sensor any more. If it still belongs here it has to be assigned once more.
    pub(crate) fn forgot(&self, sensor: i64) {
        self.forgotten().sensors.insert(sensor);
        self.sensors.notify_one();
    }

    /// The manager forgot everything, or refused an assignment.
    pub(super) fn forgot_all(&self) {
        self.forgotten().all = true;
        self.sensors.notify_one();
    }

    /// What was forgotten since the last call.
    pub(super) fn take(&self) -> Forgotten {
        std::mem::take(&mut self.forgotten())
    }

    fn forgotten(&self) -> MutexGuard<'_, Forgotten> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Forgotten {
    pub(super) fn has(&self, sensor: i64) -> bool {
        self.all || self.sensors.contains(&sensor)
    }

    /// These and others that changed.
    pub(super) fn scope(self, changed: BTreeSet<i64>) -> Scope {
        if self.all { Scope::All } else { Scope::Only(self.sensors.into_iter().chain(changed).collect()) }
    }
}
