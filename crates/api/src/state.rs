//! What every handler works with.

use std::sync::Arc;

use attune_common::config::LimitsConfig;
use attune_executor::ingest::Ingest;
use attune_hints::Hints;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::answers::Answers;
use crate::health::Health;
use crate::limits::Limits;
use crate::pace::Pace;
use crate::readers::Readers;
use crate::token::Token;

/// Packs that are read at once: each takes its archive and its files in memory.
const PACKS_AT_ONCE: usize = 2;

/// What every handler works with.
#[derive(Debug)]
pub(crate) struct Api {
    /// For what writes.
    pub(crate) pool: PgPool,
    /// For what only reads.
    pub(crate) readers: Readers,
    pub(crate) health: Health,
    pub(crate) answers: Answers,
    pub(crate) pace: Pace,
    pub(crate) ingest: Ingest,
    pub(crate) hints: Hints,
    pub(crate) limits: LimitsConfig,
    pub(crate) token: Token,
    pub(crate) pack_slots: Semaphore,
    pub(crate) bounds: Arc<Limits>,
    /// Nothing is evaluated.
    pub(crate) safe: bool,
}

impl Api {
    pub(crate) fn new(
        pool: PgPool,
        ingest: Ingest,
        hints: Hints,
        limits: LimitsConfig,
        token: Token,
        bounds: Limits,
    ) -> Self {
        let (readers, health) = (Readers::new(&pool, &bounds), Health::new(&pool, &bounds));
        let (answers, bounds) = (Answers::new(&bounds), Arc::new(bounds));
        let (pace, pack_slots) = (Pace::new(), Semaphore::new(PACKS_AT_ONCE));
        Self {
            pool,
            readers,
            health,
            answers,
            pace,
            ingest,
            hints,
            limits,
            token,
            pack_slots,
            bounds,
            safe: false,
        }
    }
}
