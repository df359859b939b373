//! What was heard of a stream since somebody asked: from who listens to it to who shows how it fares.

use std::sync::atomic::{AtomicBool, Ordering};

use attune_common::repositories::sensor_state::Heard;
use tokio::sync::Notify;

/// One stream's.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    said: Notify,
    contact: AtomicBool,
    beats: AtomicBool,
}

impl Ear {
    /// It said something.
    pub(super) fn heard(&self) {
        self.said.notify_one();
    }

    /// It said that it reached its source.
    pub(super) fn contact(&self) {
        self.contact.store(true, Ordering::Relaxed);
    }

    /// It said that it is alive, and by that promised to say so again.
    pub(super) fn beat(&self) {
        self.beats.store(true, Ordering::Relaxed);
    }

    /// Waits until it says something, unless it did since the last call.
    pub(super) async fn listen(&self) {
        self.said.notified().await;
    }

    /// What was heard. What comes meanwhile is heard next time.
    pub(super) fn take(&self) -> Heard {
        let contact = self.contact.swap(false, Ordering::Relaxed);
        Heard { contact, beats: self.beats.load(Ordering::Relaxed) }
    }
}
