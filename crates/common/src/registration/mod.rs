//! A service instance's place in the `worker` table: one implementation for every role.
//!
//! Two facts keep two live processes from sharing a registration. The *epoch* rises with every registration, and every
//! write of a holder names its own; the *lease* says until when the holder may be presumed alive. Only the database's
//! clock judges a lease. What follows from losing either is decided by [`lease`].

mod host;
mod lease;
mod namesake;
mod role;

use std::collections::HashMap;
use std::time::Duration;

use attune_process::ProcessIdentity;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::watch;

pub use lease::{Lease, LeaseKeeper};
pub use role::WorkerRole;

use crate::repositories::worker;

/// How long a lease lasts after each renewal, unless the configuration says something else.
pub const LEASE: Duration = Duration::from_secs(20);

/// Why a service could not take or keep its place.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A live process holds the name; the caller exits with code 4.
    #[error(
        "worker {name} is running on {host} as process {pid}; stop it, choose another worker_name, or take over with --replace"
    )]
    Namesake {
        /// The contested name.
        name: String,
        /// Where the holder runs.
        host: String,
        /// Its process id there.
        pid: u32,
    },
    /// Another epoch holds the row now; the caller exits with code 4.
    #[error("worker {name} was taken over by another process")]
    Superseded {
        /// The lost name.
        name: String,
    },
    /// A method that needs a registration was called before `register`.
    #[error("worker {name} is not registered yet")]
    NotRegistered {
        /// The name it would have.
        name: String,
    },
    /// The kernel does not say which process this is.
    #[error("can not read this process's identity from /proc")]
    NoIdentity(#[source] std::io::Error),
    /// The database refused or did not answer.
    #[error("can not {attempted} worker {name}")]
    Database {
        /// The verb: register, renew, deregister.
        attempted: &'static str,
        /// The worker's name.
        name: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
}

/// Who registers: the part of a registration that configuration decides.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Unique together with the role.
    pub name: String,
    /// What the instance runs.
    pub role: WorkerRole,
    /// Shown to operators.
    pub host: String,
    /// How often it promises to beat; three missed beats make it inactive.
    pub heartbeat_interval: Duration,
    /// How long its lease lasts after each renewal.
    pub lease: Duration,
    /// Take over a live namesake instead of refusing to start.
    pub replace: bool,
}

/// A held registration: the row and the epoch under which this process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// `worker.id`.
    pub worker: i64,
    /// `worker.epoch` of this process.
    pub epoch: i64,
}

/// One service instance in the `worker` table, before and after it registered.
#[derive(Debug)]
pub struct Registration {
    pool: PgPool,
    identity: Identity,
    capabilities: HashMap<String, Value>,
    held: Option<Held>,
}

impl Registration {
    /// A registration that is not in the table yet.
    pub fn new(pool: PgPool, identity: Identity) -> Self {
        Self { pool, identity, capabilities: HashMap::new(), held: None }
    }

    /// Inserts the row, or takes over the one of that name and role once its holder is gone. Returns the worker's id.
    pub async fn register(&mut self) -> Result<i64, Error> {
        for (key, value) in host::capabilities().await {
            self.add_capability(key.to_owned(), value);
        }
        let seen = namesake::wait_until_free(&self.pool, &self.identity, self.held).await?;
        let claim = worker::Claim {
            name: &self.identity.name,
            role: self.identity.role,
            host: &self.identity.host,
            capabilities: self.capabilities_json(),
            meta: self.meta()?,
            lease: self.identity.lease,
        };
        let held =
            worker::register(&self.pool, &claim, seen).await.map_err(|e| self.failed("register", e))?;
        // Somebody registered the name between the look and the claim: look again.
        let Some(held) = held else { return Box::pin(self.register()).await };
        self.held = Some(held);
        Ok(held.worker)
    }

    /// Renews `last_heartbeat`, only while the epoch is this process's own.
    pub async fn heartbeat(&self) -> Result<(), Error> {
        let held = self.held()?;
        tracing::debug!(worker.name = %self.identity.name, worker.id = held.worker, "heartbeat");
        let own = worker::heartbeat(&self.pool, held).await.map_err(|e| self.failed("renew", e))?;
        self.must_own(own)
    }

    /// Sets `inactive` and gives back every sensor: the graceful end.
    pub async fn deregister(&self) -> Result<(), Error> {
        let held = self.held()?;
        worker::deregister(&self.pool, held).await.map_err(|e| self.failed("deregister", e))?;
        tracing::info!(worker.name = %self.identity.name, worker.id = held.worker, "Deregistered worker");
        Ok(())
    }

    /// Writes the capabilities as they are now.
    pub async fn update_capabilities(&self) -> Result<(), Error> {
        let held = self.held()?;
        let own = worker::set_capabilities(&self.pool, held, &self.capabilities_json()).await;
        self.must_own(own.map_err(|e| self.failed("update", e))?)
    }

    /// Adds or replaces one capability; written by the next `register` or `update_capabilities`.
    pub fn add_capability(&mut self, key: String, value: Value) {
        self.capabilities.insert(key, value);
    }

    /// What this instance says it can do.
    pub fn capabilities(&self) -> &HashMap<String, Value> {
        &self.capabilities
    }

    /// `worker.id`, once registered.
    pub fn worker_id(&self) -> Option<i64> {
        self.held.map(|held| held.worker)
    }

    /// The name under which it registers.
    pub fn worker_name(&self) -> &str {
        &self.identity.name
    }

    /// What keeps the lease of this registration, and the place to watch it.
    pub fn keeper(&self) -> Result<(LeaseKeeper, watch::Receiver<Lease>), Error> {
        Ok(LeaseKeeper::new(self.pool.clone(), self.held()?, self.identity.lease))
    }

    /// The row and epoch under which this process writes.
    pub fn held(&self) -> Result<Held, Error> {
        self.held.ok_or_else(|| Error::NotRegistered { name: self.identity.name.clone() })
    }

    /// The process behind the registration, and what it promises.
    fn meta(&self) -> Result<Value, Error> {
        let mut meta = json!(ProcessIdentity::current().map_err(Error::NoIdentity)?);
        meta["heartbeat_interval"] = json!(self.identity.heartbeat_interval.as_secs_f64());
        Ok(meta)
    }

    fn must_own(&self, own: bool) -> Result<(), Error> {
        if own { Ok(()) } else { Err(Error::Superseded { name: self.identity.name.clone() }) }
    }

    fn capabilities_json(&self) -> Value {
        json!(self.capabilities)
    }

    fn failed(&self, attempted: &'static str, source: sqlx::Error) -> Error {
        Error::Database { attempted, name: self.identity.name.clone(), source }
    }
}
