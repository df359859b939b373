//! Keeping a lease: one small UPDATE four times in its length, and an honest answer to "may I still act?".
//!
//! The keeper reports [`Lease::Held`] only while the last renewal is younger than the lease, less a margin, by a clock that
//! also counts suspend: a laptop that slept for an hour wakes up lapsed. A lapsed holder stops its sensors and keeps trying;
//! when its epoch is still its own it goes on, when another holds the row it is [`Lease::Superseded`] for good.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Held;
use crate::repositories::worker;

/// Whether this process may still act under its registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Renewed in time.
    Held,
    /// Not renewed in time; others may have taken over. Sensors stop until it is held again.
    Lapsed,
    /// Another epoch holds the row. There is no way back.
    Superseded,
}

/// What follows from the length of a lease.
#[derive(Debug, Clone, Copy)]
struct Terms {
    lease: Duration,
    /// How often it is renewed.
    renewal: Duration,
    /// A holder stops this long before others may act, so that what it started has time to end.
    margin: Duration,
    /// How often a keeper that lost contact tries again.
    retry: Duration,
}

impl Terms {
    fn of(lease: Duration) -> Self {
        Self { lease, renewal: lease / 4, margin: lease / 5, retry: lease / 40 }
    }
}

/// Renews one lease until told to stop.
#[derive(Debug)]
pub struct LeaseKeeper {
    pool: PgPool,
    /// Its own, so that a busy pool never costs the lease.
    connection: Option<PgConnection>,
    held: Held,
    terms: Terms,
    state: watch::Sender<Lease>,
    renewed_at: Duration,
    failing: bool,
}

impl LeaseKeeper {
    /// A keeper for a registration that was just made, and the place to watch it.
    pub(super) fn new(pool: PgPool, held: Held, lease: Duration) -> (Self, watch::Receiver<Lease>) {
        let (state, watcher) = watch::channel(Lease::Held);
        let (terms, renewed_at) = (Terms::of(lease), boot_time());
        (Self { pool, connection: None, held, terms, state, renewed_at, failing: false }, watcher)
    }

    /// Renews until `stop`, or until superseded. The first time is at once: how old the lease is that the registration
    /// granted is not known here.
    pub async fn run(mut self, stop: CancellationToken) {
        while self.renew().await != Lease::Superseded {
            let pause = if self.failing { self.terms.retry } else { self.terms.renewal };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn renew(&mut self) -> Lease {
        // The lease counts from when the renewal was sent: the server can only have granted it later.
        let (sent_at, Terms { lease, renewal, margin, retry }) = (boot_time(), self.terms);
        let left = (self.renewed_at + lease).saturating_sub(margin).saturating_sub(sent_at);
        // Whoever lapsed already has nothing to be in time for, and a new connection may take a while.
        let limit = if left.is_zero() { renewal } else { left.clamp(retry, renewal) };
        let answer = tokio::time::timeout(limit, self.ask()).await;
        self.failing = !matches!(answer, Ok(Ok(true)));
        let state = match answer {
            Ok(Ok(true)) => {
                self.renewed_at = sent_at;
                Lease::Held
            }
            Ok(Ok(false)) => Lease::Superseded,
            Ok(Err(_)) | Err(_) if boot_time() + margin < self.renewed_at + lease => Lease::Held,
            Ok(Err(_)) | Err(_) => Lease::Lapsed,
        };
        self.publish(state);
        state
    }

    /// One renewal. The connection is kept only when it answered: one that was cut off in the middle is of no use.
    async fn ask(&mut self) -> sqlx::Result<bool> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.pool.connect_options()).await?,
        };
        let own = worker::renew_lease(&mut connection, self.held, self.terms.lease).await?;
        self.connection = Some(connection);
        Ok(own)
    }

    fn publish(&self, lease: Lease) {
        let changed = self.state.send_if_modified(|state| std::mem::replace(state, lease) != lease);
        if changed {
            tracing::warn!(worker.id = self.held.worker, worker.lease = ?lease, "The worker's lease changed");
        }
    }
}

/// Time since boot, suspend included.
fn boot_time() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
