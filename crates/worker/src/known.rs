//! What runs in this worker, and how each of it is ended.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use attune_common::repositories::execution::Claimed;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The running executions of one worker; clones are the same list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<i64, Attempt>>>);

#[derive(Debug)]
struct Attempt {
    number: i32,
    action: String,
    began: Instant,
    stop: CancellationToken,
}

impl Known {
    pub(crate) fn add(&self, claimed: &Claimed, stop: CancellationToken) {
        let (number, action, began) = (claimed.attempt, claimed.action_ref.clone(), Instant::now());
        self.list().insert(claimed.id, Attempt { number, action, began, stop });
    }

    /// The actions of which something has run for so long.
    pub(crate) fn running_for(&self, long: Duration) -> Vec<String> {
        let list = self.list();
        let slow = list.values().filter(|attempt| attempt.began.elapsed() >= long);
        let actions: BTreeSet<_> = slow.map(|attempt| attempt.action.clone()).collect();
        actions.into_iter().collect()
    }

    pub(crate) fn remove(&self, execution: i64) {
        self.list().remove(&execution);
    }

    pub(crate) fn ids(&self) -> Vec<i64> {
        self.list().keys().copied().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// Ends an attempt, if it is the one that runs.
    pub(crate) fn stop(&self, execution: i64, number: i32) {
        if let Some(attempt) = self.list().get(&execution).filter(|attempt| attempt.number == number) {
            attempt.stop.cancel();
        }
    }

    fn list(&self) -> MutexGuard<'_, HashMap<i64, Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
