//! Wake-ups that shorten a wait. The database holds every fact; with every hint lost the system is slower, never wrong.
//!
//! A [`Hints`] is a board of topics. Inside one process a hint is a counter that somebody watches, with no database
//! involved; [`relay()`] carries hints to and from the other processes over LISTEN/NOTIFY. Who waits takes a [`Waiter`] and
//! arms it *before* looking at the database, so that a hint between the look and the wait is not lost.

mod listen;
mod relay;
mod topic;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

pub use relay::relay;
pub use topic::Topic;

/// The board of one process; clones are the same board.
#[derive(Debug, Clone, Default)]
pub struct Hints(Arc<Board>);

#[derive(Debug, Default)]
struct Board {
    topics: [Slot; Topic::ALL.len()],
    /// Somebody has something for the other processes.
    outgoing: Notify,
}

#[derive(Debug, Default)]
struct Slot {
    counter: watch::Sender<u64>,
    unsent: AtomicBool,
}

impl Hints {
    /// Wakes who waits for `topic`, here and, soon, in every other process.
    pub fn wake(&self, topic: Topic) {
        self.wake_here(topic);
        self.slot(topic).unsent.store(true, Ordering::Release);
        self.0.outgoing.notify_one();
    }

    /// Wakes who waits for `topic` in this process only.
    pub fn wake_here(&self, topic: Topic) {
        self.slot(topic).counter.send_modify(|count| *count += 1);
    }

    /// A waiter for `topic`, armed now.
    pub fn waiter(&self, topic: Topic) -> Waiter {
        Waiter(self.slot(topic).counter.subscribe())
    }

    fn wake_all_here(&self) {
        for topic in Topic::ALL {
            self.wake_here(topic);
        }
    }

    fn take_unsent(&self) -> Vec<Topic> {
        Topic::ALL
            .into_iter()
            .filter(|topic| self.slot(*topic).unsent.swap(false, Ordering::AcqRel))
            .collect()
    }

    fn slot(&self, topic: Topic) -> &Slot {
        &self.0.topics[topic as usize]
    }
}

/// Waits for one topic.
#[derive(Debug, Clone)]
pub struct Waiter(watch::Receiver<u64>);

impl Waiter {
    /// From now on [`Self::wait`] ends at the next hint; call it before looking at the database.
    pub fn arm(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a hint since [`Self::arm`], at most `limit`: the look that follows is due either way.
    pub async fn wait(&mut self, limit: Duration) {
        // Neither outcome matters to the caller, who looks again; a board that is gone leaves the time limit.
        match tokio::time::timeout(limit, self.0.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => tokio::time::sleep(limit).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hint_between_the_look_and_the_wait_is_not_lost() {
        let hints = Hints::default();
        let mut waiter = hints.waiter(Topic::Execution);
        waiter.arm();
        hints.wake(Topic::Execution);
        let hour = Duration::from_hours(1);
        tokio::time::timeout(Duration::from_secs(5), waiter.wait(hour))
            .await
            .expect("the hint ends the wait");
    }

    #[tokio::test]
    async fn topics_do_not_wake_each_other() {
        let hints = Hints::default();
        let mut waiter = hints.waiter(Topic::Execution);
        waiter.arm();
        hints.wake(Topic::Config);
        let woken = tokio::time::timeout(Duration::from_millis(1), waiter.0.changed()).await;
        assert!(woken.is_err());
        assert_eq!(hints.take_unsent(), [Topic::Config]);
        assert_eq!(hints.take_unsent(), []);
    }
}
