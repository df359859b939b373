//! Why a round ended early. What was due stays due; the next round goes on.

use attune_executor::ingest::IngestError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The tables of the timers could not be read or written.
    #[error("timers can not be read and written")]
    Database(#[from] sqlx::Error),
    /// Ingest can not take any event now.
    #[error("timers can not fire now")]
    Ingest(#[source] IngestError),
}
