//! What was heard of a stream since somebody asked: from who listens to it to who shows how it fares.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use attune_common::repositories::sensor_state::Heard;
use tokio::sync::Notify;

/// One stream's.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    said: Notify,
    contact: AtomicBool,
    beats: AtomicBool,
    bytes: AtomicU64,
}

impl Ear {
    /// It said something.
    pub(super) fn heard(&self) {
        self.said.notify_one();
    }

    /// So much was read of what it writes, whatever it is.
    pub(super) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How much was read since it began.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
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
