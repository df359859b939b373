//! What every handler works with.

use attune_common::config::LimitsConfig;
use attune_executor::ingest::Ingest;
use attune_hints::Hints;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::token::Token;

/// Packs that are read at once: each takes its archive and its files in memory.
const PACKS_AT_ONCE: usize = 2;

/// What every handler works with.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) pool: PgPool,
    pub(crate) ingest: Ingest,
    pub(crate) hints: Hints,
    pub(crate) limits: LimitsConfig,
    pub(crate) token: Token,
    pub(crate) pack_slots: Semaphore,
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
    ) -> Self {
        Self { pool, ingest, hints, limits, token, pack_slots: Semaphore::new(PACKS_AT_ONCE), safe: false }
    }
}
