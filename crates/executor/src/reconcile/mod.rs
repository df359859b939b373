//! Reconcilers: what executors, and the watch in every process, do again and again so that nothing stays wrong.
//!
//! Each round takes no input, is idempotent and retries nothing: the next round is the retry. Several executors may run
//! side by side; every write names the state it expects, so the second one finds nothing to do.

mod contents;
mod inactive_workers;
mod keys;
mod lost_workers;
mod notices;
mod runs;
mod usage;
mod watch;

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use notices::Notices;
pub use watch::Watch;

/// Between rounds.
const PERIOD: Duration = Duration::from_secs(1);
/// Between rounds of what only takes room.
const TIDY_PERIOD: Duration = Duration::from_mins(1);

/// What the rounds need.
#[derive(Debug, Clone)]
pub struct Reconciler {
    /// The database.
    pub pool: PgPool,
    /// The interval whose third miss makes a worker inactive.
    pub heartbeat_interval: Duration,
    /// How long a lease lasts.
    pub lease: Duration,
}

impl Reconciler {
    /// Runs rounds until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        // Who was away can not tell who died from who could not renew either: nobody is judged before one lease has passed.
        let mut in_contact_since = Instant::now();
        let mut next_tidy = in_contact_since;
        while !stop.is_cancelled() {
            let rounds = async {
                self.round(in_contact_since.elapsed() >= self.lease).await?;
                if next_tidy <= Instant::now() {
                    next_tidy = Instant::now() + TIDY_PERIOD;
                    self.tidy().await?;
                }
                Ok::<_, sqlx::Error>(())
            };
            match rounds.await {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "A round of the reconcilers failed"
                    );
                    in_contact_since = Instant::now();
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// One round of what should be done soon. `may_judge`: whether leases may be judged already.
    pub async fn round(&self, may_judge: bool) -> sqlx::Result<()> {
        if may_judge {
            inactive_workers::round(self).await?;
        }
        keys::round(self).await?;
        usage::round(self).await
    }

    /// One round of what only takes room.
    pub async fn tidy(&self) -> sqlx::Result<()> {
        runs::round(self).await?;
        contents::round(self).await
    }
}
