//! Looks after a pool while it has hosts: measures them, ends those that are idle or too many, and sees ended ones off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use attune_process::memory;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use super::books::Why;
use super::pool::Inner;
use super::warm::Warm;

/// The longest time between two rounds.
const PERIOD: Duration = Duration::from_secs(1);

/// The tasks of one pool.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    is_watching: AtomicBool,
    leaving: TaskTracker,
}

impl Keeper {
    /// Goes round the pool until it has no hosts.
    pub(super) fn watch(&self, pool: &Arc<Inner>) {
        if self.is_watching.swap(true, Ordering::AcqRel) {
            return;
        }
        // A pool that nobody uses any more is not kept by this.
        let pool = Arc::downgrade(pool);
        tokio::spawn(async move {
            let mut period = Duration::ZERO;
            loop {
                sleep(period).await;
                let Some(pool) = pool.upgrade() else { return };
                if !pool.round().await {
                    return;
                }
                period = PERIOD.min(pool.settings.idle / 4);
            }
        });
    }

    /// Lets a host end, which takes its time.
    pub(super) fn dismiss(&self, host: Box<Warm>, why: Why) {
        tracing::debug!(runtime.ref = host.runtime, host.launcher = host.launcher, host.turns = host.turns, reason = ?why,
            "A warm host ends");
        // Without a runtime to wait in, dropping it kills it.
        if let Ok(runtime) = Handle::try_current() {
            self.leaving.spawn_on(host.dismiss(), &runtime);
        }
    }

    /// Waits until every host that was dismissed is gone.
    pub(super) async fn all_ended(&self) {
        self.leaving.close();
        self.leaving.wait().await;
    }
}

impl Inner {
    /// Measures and sweeps once; says whether there are hosts left.
    async fn round(&self) -> bool {
        self.measure().await;
        self.with_books(|books| books.sweep(Instant::now()));
        self.recipes.retain(|group| self.with_books(|books| books.has_group(group)));
        self.with_books(|books| {
            let has_hosts = books.hosts() > 0;
            // Under the lock, so that whoever opens a seat now starts another watch.
            self.keeper.is_watching.store(has_hosts, Ordering::Release);
            has_hosts
        })
    }

    async fn measure(&self) {
        let due = self.with_books(|books| books.due(Instant::now()));
        if due.is_empty() {
            return;
        }
        let look = move || {
            let bytes = |(id, launcher)| Some((id, Instant::now(), memory(launcher)?));
            due.into_iter().filter_map(bytes).collect::<Vec<_>>()
        };
        let measures = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        self.with_books(|books| {
            for (id, at, bytes) in measures {
                books.measured(id, bytes, at);
            }
        });
    }
}
