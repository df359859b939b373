//! What runs in this worker, and how each of it is ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The running executions of one worker; clones are the same list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<i64, Attempt>>>);

#[derive(Debug)]
struct Attempt {
    number: i32,
    stop: CancellationToken,
}

impl Known {
    pub(crate) fn add(&self, execution: i64, number: i32, stop: CancellationToken) {
        self.list().insert(execution, Attempt { number, stop });
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
