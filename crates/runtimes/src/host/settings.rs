//! The bounds of a pool.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

/// The bounds of a pool. Everything but the budget is for tests to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What all hosts together may take of the memory, in bytes.
    pub budget: u64,
    /// Hosts of a group's fast lane.
    pub lanes: usize,
    /// A turn that takes longer is slow, and nobody waits longer for a place in the fast lane.
    pub moment: Duration,
    /// A host that nobody took for so long ends.
    pub idle: Duration,
    /// How long a host may take to say that it is there.
    pub start: Duration,
    /// How long what was measured of a host's memory is believed.
    pub look: Duration,
    /// A host that takes so many times what it took after its first turn is replaced, once that is [`Self::slack`] more.
    pub growth: u64,
    /// Bytes that a host may grow by in any case.
    pub slack: u64,
}

impl Settings {
    /// The bounds of a service whose hosts may take so many bytes together.
    pub fn within(budget: u64) -> Self {
        Self {
            budget,
            lanes: available_parallelism().map_or(1, NonZero::get),
            moment: Duration::from_millis(50),
            idle: Duration::from_mins(1),
            start: Duration::from_secs(10),
            look: Duration::from_secs(5),
            growth: 4,
            slack: 64 * 1024 * 1024,
        }
    }
}
