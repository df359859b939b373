//! What the sensors or actions that run in this process take, collected and written together.
//!
//! A poll that finds nothing costs no write of its own, so what it took is kept here and goes into the database with that of
//! all others each ten seconds, and at the end. A crash costs at most that. A write whose answer was lost is repeated and may
//! then count twice; figures are for judging, and nothing else depends on them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use attune_common::repositories::usage::{self, Columns, Kind};
use attune_core::usage::Figures;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Between two writes.
const PERIOD: Duration = Duration::from_secs(10);

/// Collects figures; clones are the same meter.
#[derive(Debug, Clone)]
pub struct Meter {
    pool: PgPool,
    kind: Kind,
    kept: Arc<Mutex<HashMap<i64, Figures>>>,
}

impl Meter {
    /// A meter for things of this kind.
    pub fn new(pool: PgPool, kind: Kind) -> Self {
        Self { pool, kind, kept: Arc::default() }
    }

    /// Adds what one of them took.
    pub fn note(&self, id: i64, figures: &Figures) {
        self.kept().entry(id).or_default().add(figures);
    }

    /// Writes what is kept each ten seconds, until `stop`. What comes afterwards is for [`Self::write`].
    pub async fn keep_writing(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
            self.write().await;
        }
    }

    /// Writes all that is kept, or keeps it on.
    pub async fn write(&self) {
        let taken = std::mem::take(&mut *self.kept());
        if taken.is_empty() {
            return;
        }
        let mut columns = Columns::default();
        for (id, figures) in &taken {
            columns.push(*id, figures);
        }
        if let Err(error) = usage::add(&self.pool, self.kind, &columns).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "Usage could not be written yet");
            for (id, figures) in &taken {
                self.note(*id, figures);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<i64, Figures>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
