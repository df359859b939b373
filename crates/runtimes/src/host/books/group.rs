//! The hosts of one kind, and who waits for them.

use std::collections::{HashSet, VecDeque};

use tokio::sync::oneshot;

use super::Grant;

/// What a host is taken to need before any of its kind was measured.
const TYPICAL: u64 = 16 * 1024 * 1024;

/// Places of those who wait.
pub(super) type Queue<H> = VecDeque<oneshot::Sender<Grant<H>>>;

/// The hosts of one kind.
#[derive(Debug)]
pub(super) struct Group<H> {
    /// The places of the fast lane.
    pub(super) fast: Vec<Place<H>>,
    /// Hosts of the slow lane that nobody has; the one that was used last is taken first.
    pub(super) idle: Vec<u64>,
    /// All hosts of the slow lane.
    pub(super) slow: usize,
    /// Who waits for a host of the slow lane, but not yet for one to be started.
    pub(super) waiting: Queue<H>,
    /// Who was quick the last time.
    pub(super) quick: HashSet<i64>,
    /// What one of its hosts took when it was last measured.
    pub(super) typical: u64,
}

/// One place of the fast lane.
#[derive(Debug)]
pub(super) struct Place<H> {
    pub(super) host: Option<u64>,
    pub(super) waiting: Queue<H>,
}

impl<H> Group<H> {
    pub(super) fn new(lanes: usize) -> Self {
        let place = || Place { host: None, waiting: Queue::new() };
        Self {
            fast: std::iter::repeat_with(place).take(lanes).collect(),
            idle: Vec::new(),
            slow: 0,
            waiting: Queue::new(),
            quick: HashSet::new(),
            typical: TYPICAL,
        }
    }

    /// Whether nobody would miss it.
    pub(super) fn is_empty(&self) -> bool {
        self.slow == 0
            && !has_waiters(&self.waiting)
            && self.fast.iter().all(|place| place.host.is_none() && !place.has_waiters())
    }
}

impl<H> Place<H> {
    pub(super) fn has_waiters(&self) -> bool {
        has_waiters(&self.waiting)
    }
}

fn has_waiters<H>(queue: &Queue<H>) -> bool {
    queue.iter().any(|sender| !sender.is_closed())
}
