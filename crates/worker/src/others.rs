//! A way in for others while long runs hold all slots.
//!
//! Sixty jobs of an hour would keep everything else waiting for hours, and the canary with it. Places that are kept free for
//! others would stand empty nearly always. So there are a few more than there are slots, which are used only then, and only
//! by actions of which nothing runs for long. An action that says `max_concurrent` leaves slots free by itself.

use std::sync::Arc;

use attune_common::registration::Lease;
use attune_common::repositories::execution_others;

use crate::claims::{Claims, Running};

/// Slots for each of which there is one more place.
const SLOTS: usize = 8;

/// How many places there are beside so many slots.
pub(crate) fn places(slots: usize) -> usize {
    slots.div_ceil(SLOTS)
}

impl Claims {
    /// Claims for these places, when no slot became free for a while and something runs for long. Not raced against anything:
    /// what was claimed is run.
    pub(crate) async fn let_others_in(&self, running: &Running) {
        let slow = running.known.running_for(self.long);
        let places: Vec<_> =
            std::iter::from_fn(|| Arc::clone(&running.others).try_acquire_owned().ok()).collect();
        if slow.is_empty() || places.is_empty() || *self.membership.lease().borrow() != Lease::Held {
            return;
        }
        let runtimes = self.runner.equipment.inventory().ids();
        let count = i64::try_from(places.len()).unwrap_or(i64::MAX);
        match execution_others::claim(&self.pool, self.held, &runtimes, &slow, count).await {
            Ok(claimed) => claimed
                .into_iter()
                .zip(places)
                .for_each(|(claimed, place)| running.start(&self.runner, claimed, place)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Executions could not be claimed");
            }
        }
    }
}
