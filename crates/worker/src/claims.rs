//! Claiming: as many due executions as there are free slots, the longest due first.
//!
//! A round claims for every runtime that this machine has; the claim itself refuses whoever's epoch or lease is gone. When
//! a round fills all slots more is waiting: the next one follows when half of them are free, or a moment after the first,
//! because a claim costs the database the same for one as for many. Otherwise the queue is empty for now, and the claims
//! sleep until a hint, the next due retry, or a second has passed; so what comes alone is claimed at once. Every hint may
//! be lost.
//!
//! While a claim is under way programs end, and their slots would stand empty until the next one has come back. So a claim
//! also asks for as many as ended during the one before. Where programs run long that is none. What was claimed so and finds
//! no slot for a moment after all is given back ([`Running::start_soon`]).
//!
//! While long runs of one action hold all slots, others get a few places beside them ([`crate::others`]).
//!
//! A claim whose answer gets lost leaves executions running that nobody runs. Between claims the worker therefore gives back,
//! now and then, what is running in its name and unknown to it.
//!
//! At the end nothing new is claimed, what runs gets time to finish, and what is left is killed and given back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use attune_boot::Membership;
use attune_common::registration::{Held, Lease};
use attune_common::repositories::execution::{self, Claimed};
use attune_common::repositories::worker;
use attune_hints::{Hints, Topic, Waiter};
use chrono::Utc;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::{Runner, Stop};
use crate::known::Known;
use crate::others;

/// The longest sleep between two looks at the queue.
const PERIOD: Duration = Duration::from_secs(1);
/// The shortest: what is due by another clock than this one's is due soon.
const MOMENT: Duration = Duration::from_millis(5);
/// How long free slots may wait until half of all are free, while more work is waiting.
const GATHER: Duration = Duration::from_millis(2);
/// How long what was claimed for slots that will be free soon waits for them.
const SOON: Duration = Duration::from_millis(100);
/// How often what is unknown is given back.
const REVIEW: Duration = Duration::from_secs(10);
/// How long executions may go on once the worker should end.
const FINISH: Duration = Duration::from_secs(10);

/// The claims of one worker.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) pool: PgPool,
    pub(crate) hints: Hints,
    pub(crate) held: Held,
    pub(crate) membership: Membership,
    pub(crate) runner: Arc<Runner>,
    pub(crate) known: Known,
    /// How many executions run at once.
    pub(crate) slots: u32,
    /// When what runs counts as long.
    pub(crate) long: Duration,
}

/// What is running.
#[derive(Debug)]
pub(crate) struct Running {
    slots: Arc<Semaphore>,
    /// Places beside the slots, see [`crate::others`].
    pub(crate) others: Arc<Semaphore>,
    /// Places for those whose program is over and that are not recorded yet.
    ends: Arc<Semaphore>,
    /// Programs that are over.
    over: Arc<AtomicUsize>,
    tasks: TaskTracker,
    kill: CancellationToken,
    pub(crate) known: Known,
}

impl Running {
    /// Waits for this many free slots, at least one.
    async fn free(&self, slots: u32) -> OwnedSemaphorePermit {
        let free = Arc::clone(&self.slots).acquire_many_owned(slots.max(1));
        free.await.expect("the slots are never closed")
    }

    /// These slots and all others that are free, one by one.
    fn all_free(&self, mut several: OwnedSemaphorePermit) -> Vec<OwnedSemaphorePermit> {
        let others = std::iter::from_fn(|| Arc::clone(&self.slots).try_acquire_owned().ok());
        std::iter::from_fn(|| several.split(1)).chain(others).collect()
    }

    /// Runs what was claimed as soon as there are slots. Returns what found none in time.
    async fn start_soon(&self, runner: &Arc<Runner>, claimed: Vec<Claimed>) -> Vec<Claimed> {
        let (mut claimed, soon) = (VecDeque::from(claimed), Instant::now() + SOON);
        while !claimed.is_empty() {
            let Ok(slot) = timeout_at(soon, self.free(1)).await else { break };
            if let Some(next) = claimed.pop_front() {
                self.start(runner, next, slot);
            }
        }
        claimed.into()
    }

    /// Runs what was claimed, in its slot, and records how it ended, for which it needs the slot no longer: so ends are
    /// recorded together, and others run meanwhile. While the ends of as many can not be recorded, slots are kept.
    pub(crate) fn start(&self, runner: &Arc<Runner>, claimed: Claimed, slot: OwnedSemaphorePermit) {
        let (runner, known, id) = (Arc::clone(runner), self.known.clone(), claimed.id);
        let (ends, over) = (Arc::clone(&self.ends), Arc::clone(&self.over));
        let stop = Stop { all: self.kill.clone(), this: self.kill.child_token() };
        known.add(&claimed, stop.this.clone());
        self.tasks.spawn(async move {
            let end = Box::pin(runner.run(claimed, stop)).await;
            over.fetch_add(1, Ordering::Relaxed);
            if let Some(end) = end {
                let _place = ends.acquire().await.expect("the places are never closed");
                drop(slot);
                runner.record(end).await;
            }
            known.remove(id);
        });
    }
}

impl Claims {
    /// Claims and runs until `stop`, then ends what runs and leaves.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), crate::Error> {
        let slots = usize::try_from(self.slots).unwrap_or(Semaphore::MAX_PERMITS);
        let running = Running {
            slots: Arc::new(Semaphore::new(slots)),
            others: Arc::new(Semaphore::new(others::places(slots))),
            ends: Arc::new(Semaphore::new(slots)),
            over: Arc::default(),
            tasks: TaskTracker::new(),
            kill: CancellationToken::new(),
            known: self.known.clone(),
        };
        let (mut reviewed, mut nap, mut ahead) = (Instant::now(), Some(PERIOD), 0);
        let mut waiter = self.hints.waiter(Topic::Execution);
        loop {
            let ready = tokio::select! {
                () = stop.cancelled() => break,
                ready = timeout(PERIOD, self.ready(&running, nap.is_none())) => ready,
            };
            let Ok(ready) = ready else {
                self.let_others_in(&running).await;
                continue;
            };
            if reviewed.elapsed() >= REVIEW {
                self.review(&running).await;
                reviewed = Instant::now();
            }
            waiter.arm();
            // Not raced against the stop: what was claimed is run.
            (nap, ahead) = self.round(&running, ready, ahead).await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(&mut waiter, nap) => {}
            }
        }
        self.end(&running).await;
        Ok(())
    }

    /// Waits for the lease and for a free slot, or, while more is waiting, for several.
    async fn ready(&self, running: &Running, is_backlog: bool) -> OwnedSemaphorePermit {
        // A keeper that is gone leaves the state as it was; the claim is fenced anyway.
        let _ = self.membership.lease().wait_for(|lease| *lease == Lease::Held).await;
        if is_backlog && let Ok(several) = timeout(GATHER, running.free(self.slots / 2)).await {
            return several;
        }
        running.free(1).await
    }

    /// Claims what the free slots take, and so many ahead, and starts it. Returns how long the queue has nothing for this
    /// worker, and how many to claim ahead the next time.
    async fn round(
        &self,
        running: &Running,
        first: OwnedSemaphorePermit,
        ahead: usize,
    ) -> (Option<Duration>, usize) {
        let (free, over) = (running.all_free(first), running.over.load(Ordering::Relaxed));
        let runtimes = self.runner.equipment.inventory().ids();
        let wanted = free.len() + ahead;
        let limit = i64::try_from(wanted).unwrap_or(i64::MAX);
        let mut claimed = match execution::claim(&self.pool, self.held, &runtimes, limit).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Executions could not be claimed");
                return (Some(PERIOD), 0);
            }
        };
        let over = running.over.load(Ordering::Relaxed).wrapping_sub(over);
        let found = claimed.len();
        let later = claimed.split_off(found.min(free.len()));
        for (claimed, slot) in claimed.into_iter().zip(free) {
            running.start(&self.runner, claimed, slot);
        }
        self.give_back(running.start_soon(&self.runner, later).await).await;
        match found {
            0 => (Some(self.until_due(&runtimes).await), 0),
            found if found < wanted => (Some(PERIOD), 0),
            _ => (None, over),
        }
    }

    /// Gives back what was claimed for slots that did not become free. Again and again, since whether a try that failed is in is
    /// open, and nothing is claimed meanwhile; once the lease is over others take it.
    async fn give_back(&self, claimed: Vec<Claimed>) {
        if claimed.is_empty() {
            return;
        }
        let attempts: Vec<_> = claimed.iter().map(|claimed| (claimed.id, claimed.attempt)).collect();
        while let Err(error) = execution::unclaim(&self.pool, self.held, &attempts).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "Claims could not be given back");
            if *self.membership.lease().borrow() != Lease::Held {
                return;
            }
            tokio::time::sleep(PERIOD).await;
        }
        self.hints.wake(Topic::Execution);
    }

    /// Gives back what is running in this worker's name and unknown to it. Never beside a claim, whose answer may still come.
    async fn review(&self, running: &Running) {
        match worker::release_unknown(&self.pool, self.held, &running.known.ids()).await {
            Ok(0) => {}
            Ok(executions) => {
                tracing::warn!(executions, "Claims whose answers got lost were given back");
                self.hints.wake(Topic::Execution);
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "Claims could not be reviewed");
            }
        }
    }

    /// Until the next retry is due, at most a period.
    async fn until_due(&self, runtimes: &[i64]) -> Duration {
        let due = execution::next_due(&self.pool, runtimes).await.ok().flatten();
        let left = due.map(|due| (due - Utc::now()).to_std().unwrap_or(MOMENT));
        left.map_or(PERIOD, |left| left.clamp(MOMENT, PERIOD))
    }

    async fn end(&self, running: &Running) {
        running.tasks.close();
        let superseded = *self.membership.lease().borrow() == Lease::Superseded;
        if superseded || timeout(FINISH, running.tasks.wait()).await.is_err() {
            tracing::warn!(executions = running.tasks.len(), "Ending the executions that still run");
            running.kill.cancel();
            running.tasks.wait().await;
        }
        self.membership.leave().await;
        self.hints.wake(Topic::Execution);
        self.hints.wake(Topic::Worker);
        self.runner.hosts.end().await;
    }
}

async fn sleep(waiter: &mut Waiter, nap: Option<Duration>) {
    if let Some(nap) = nap {
        waiter.wait(nap).await;
    }
}
