//! Keeping a lease: one small UPDATE every five seconds, and an honest answer to "may I still act?".
//!
//! The keeper reports [`Lease::Held`] only while the last renewal is younger than the lease, less a margin, by a clock that
//! also counts suspend: a laptop that slept for an hour wakes up lapsed. A lapsed holder stops its sensors and keeps trying;
//! when its epoch is still its own it goes on, when another holds the row it is [`Lease::Superseded`] for good.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Held, LEASE, LEASE_RENEWAL};
use crate::repositories::worker;

/// A holder stops this long before others may act, so that what it started has time to end.
const MARGIN: Duration = Duration::from_secs(4);
/// How often a keeper that lost contact tries again.
const RETRY: Duration = Duration::from_millis(500);

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

/// Renews one lease until told to stop.
#[derive(Debug)]
pub struct LeaseKeeper {
    pool: PgPool,
    /// Its own, so that a busy pool never costs the lease.
    connection: Option<PgConnection>,
    held: Held,
    state: watch::Sender<Lease>,
    renewed_at: Duration,
    failing: bool,
}

impl LeaseKeeper {
    /// A keeper for a registration that was just made, and the place to watch it.
    pub fn new(pool: PgPool, held: Held) -> (Self, watch::Receiver<Lease>) {
        let (state, watcher) = watch::channel(Lease::Held);
        (Self { pool, connection: None, held, state, renewed_at: boot_time(), failing: false }, watcher)
    }

    /// Renews until `stop`, or until superseded. The first time is at once: how old the lease is that the registration
    /// granted is not known here.
    pub async fn run(mut self, stop: CancellationToken) {
        while self.renew().await != Lease::Superseded {
            let pause = if self.failing { RETRY } else { LEASE_RENEWAL };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn renew(&mut self) -> Lease {
        // The lease counts from when the renewal was sent: the server can only have granted it later.
        let sent_at = boot_time();
        let left = (self.renewed_at + LEASE).saturating_sub(MARGIN).saturating_sub(sent_at);
        // Whoever lapsed already has nothing to be in time for, and a new connection may take a while.
        let limit = if left.is_zero() { LEASE_RENEWAL } else { left.clamp(RETRY, LEASE_RENEWAL) };
        let renewal = tokio::time::timeout(limit, self.ask()).await;
        self.failing = !matches!(renewal, Ok(Ok(true)));
        let lease = match renewal {
            Ok(Ok(true)) => {
                self.renewed_at = sent_at;
                Lease::Held
            }
            Ok(Ok(false)) => Lease::Superseded,
            Ok(Err(_)) | Err(_) if boot_time() + MARGIN < self.renewed_at + LEASE => Lease::Held,
            Ok(Err(_)) | Err(_) => Lease::Lapsed,
        };
        self.publish(lease);
        lease
    }

    /// One renewal. The connection is kept only when it answered: one that was cut off in the middle is of no use.
    async fn ask(&mut self) -> sqlx::Result<bool> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.pool.connect_options()).await?,
        };
        let own = worker::renew_lease(&mut connection, self.held, LEASE).await?;
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
