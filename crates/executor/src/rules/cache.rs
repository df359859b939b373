//! The rule book that this process works with, renewed when the config version rises.
//!
//! Nobody has to trust it: the ingest statement compares the version itself. Renewing early only saves that statement from
//! having to be sent twice.

use std::sync::Arc;
use std::time::Duration;

use attune_common::repositories::config_version::{self, Known};
use attune_common::repositories::rule;
use attune_hints::{Hints, Topic};
use sqlx::PgPool;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::RuleBook;
use crate::apart::apart;

/// How often the version is read when no hint comes.
const PERIOD: Duration = Duration::from_millis(500);

/// The current rule book.
#[derive(Debug)]
pub struct RuleCache {
    pool: PgPool,
    book: watch::Sender<Arc<RuleBook>>,
    /// What the book was made of. Locked while it is made anew.
    known: Mutex<Option<Known>>,
}

impl RuleCache {
    /// An empty cache; the first [`Self::renew`] fills it.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, book: watch::Sender::default(), known: Mutex::default() }
    }

    /// The book as it is now, possibly behind.
    pub fn current(&self) -> Arc<RuleBook> {
        Arc::clone(&self.book.borrow())
    }

    /// The book, and how it changes.
    pub fn subscribe(&self) -> watch::Receiver<Arc<RuleBook>> {
        self.book.subscribe()
    }

    /// Brings the book up to date unless it is newer than the one the caller found stale.
    pub async fn renew(&self, stale: i64) -> sqlx::Result<()> {
        let mut known = self.known.lock().await;
        let before = self.current();
        if before.version > stale {
            return Ok(());
        }
        let (now, changed) = rule::load_rule_set(&self.pool, *known).await?;
        let version = now.version;
        let renewed = apart(move || before.renewed(version, changed)).await;
        self.book.send_replace(Arc::new(renewed));
        *known = Some(now);
        Ok(())
    }

    /// Keeps the book fresh until `stop`.
    pub async fn keep_fresh(&self, hints: &Hints, stop: CancellationToken) {
        let mut waiter = hints.waiter(Topic::Config);
        while !stop.is_cancelled() {
            waiter.arm();
            if let Err(error) = self.look().await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "The config version could not be read"
                );
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = waiter.wait(PERIOD) => {}
            }
        }
    }

    async fn look(&self) -> sqlx::Result<()> {
        let seen = self.current().version;
        if config_version::get(&self.pool).await? == seen { Ok(()) } else { self.renew(seen).await }
    }
}
