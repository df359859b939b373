//! Keeping a place in the `worker` table for as long as a service runs: the lease, the heartbeats, and the end of the
//! program when another process holds the place.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use attune_common::registration::{Error, Lease, LeaseKeeper, Registration};
use serde_json::Value;
use tokio::sync::{RwLock, watch};
use tokio_util::sync::CancellationToken;

use crate::{OnError, OnStop, Supervisor};

/// A registration that is being kept.
#[derive(Debug, Clone)]
pub struct Membership {
    registration: Arc<RwLock<Registration>>,
    lease: watch::Receiver<Lease>,
    ended: CancellationToken,
}

impl Membership {
    /// Keeps a registration that was just made: renews its lease and beats every `heartbeat_interval`, until
    /// [`Self::leave`]. Losing it to another process is a failure of the program.
    pub fn keep(
        supervisor: &Supervisor,
        registration: Registration,
        heartbeat_interval: Duration,
    ) -> Result<Self, Error> {
        let (keeper, lease) = registration.keeper()?;
        let name = registration.worker_name().to_owned();
        let ended = CancellationToken::new();
        let membership = Self { registration: Arc::new(RwLock::new(registration)), lease, ended };
        // Not the supervisor's token: what is being drained needs the lease to its end.
        let lease = membership.clone().hold(keeper, name);
        supervisor.spawn("lease", OnStop::Wait, OnError::Shutdown, lease);
        let beats = membership.clone().beat(heartbeat_interval);
        supervisor.spawn("heartbeat", OnStop::Abort, OnError::Shutdown, beats);
        Ok(membership)
    }

    /// Whether this process may act, and how that changes.
    pub fn lease(&self) -> watch::Receiver<Lease> {
        self.lease.clone()
    }

    /// Adds or replaces capabilities, and writes them.
    pub async fn report(&self, capabilities: &HashMap<String, Value>) -> Result<(), Error> {
        let mut registration = self.registration.write().await;
        for (key, value) in capabilities {
            registration.add_capability(key.clone(), value.clone());
        }
        registration.update_capabilities().await
    }

    /// The graceful end: gives back all work and sets `inactive`. A database that is away finds out by itself.
    pub async fn leave(&self) {
        // First, so that losing the place by giving it up is no failure.
        self.ended.cancel();
        if *self.lease.borrow() != Lease::Superseded
            && let Err(error) = self.registration.read().await.deregister().await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "The worker could not be deregistered");
        }
    }

    async fn hold(self, keeper: LeaseKeeper, name: String) -> Result<(), Error> {
        keeper.run(self.ended.clone()).await;
        if self.ended.is_cancelled() { Ok(()) } else { Err(Error::Superseded { name }) }
    }

    async fn beat(self, interval: Duration) -> Result<(), Error> {
        loop {
            tokio::time::sleep(interval).await;
            // Who superseded this process is the lease's business; a database that is away comes back.
            if let Err(error) = self.registration.read().await.heartbeat().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "A heartbeat failed");
            }
        }
    }
}
