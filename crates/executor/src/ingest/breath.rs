//! Working among other tasks: what takes long lets them go first, again and again.
//!
//! One piece has a limit of its own, but a submission has many events, and an event many rules. All of them together may
//! take seconds of a thread that other requests, leases and heartbeats are waiting for.

use std::time::{Duration, Instant};

/// What may pass before others go first.
const LONGEST: Duration = Duration::from_millis(2);

/// When others last went first.
#[derive(Debug)]
pub(super) struct Breath(Instant);

impl Breath {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }

    /// Others went first.
    pub(super) fn restart(&mut self) {
        self.0 = Instant::now();
    }

    /// Lets others go first, if it has been long.
    pub(super) async fn take(&mut self) {
        if self.0.elapsed() >= LONGEST {
            tokio::task::yield_now().await;
            self.restart();
        }
    }
}
