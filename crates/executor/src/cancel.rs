//! An execution that somebody no longer wants.
//!
//! One that waits is cancelled at once. One that runs is its worker's: the wish is written beside it, and the worker ends the
//! program and records `cancelled` under its attempt. Should the program end by itself before that, it keeps its own end;
//! should the worker be lost, the execution is cancelled instead of repeated. The row is locked first, so that a claim, a
//! finish and another wish come either before or after, and each finds what the other left.

use attune_common::repositories::execution_order;
use attune_hints::{Hints, Topic};
use sqlx::PgPool;

/// What became of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, and will not.
    AtOnce,
    /// Its worker ends it now.
    Asked,
    /// Somebody had asked before.
    AskedBefore,
}

/// Why it was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such execution.
    #[error("there is no execution {0}")]
    Unknown(i64),
    /// It has ended, in this way.
    #[error("execution {0} has ended already: {1}")]
    Ended(i64, String),
    /// The database refused or did not answer.
    #[error("can not cancel the execution")]
    Database(#[from] sqlx::Error),
}

/// Cancels one execution. At most one row changes.
pub async fn cancel_execution(pool: &PgPool, hints: &Hints, id: i64) -> Result<Cancelled, Error> {
    let mut tx = pool.begin().await?;
    let row = execution_order::find_for_update(&mut tx, id).await?.ok_or(Error::Unknown(id))?;
    let (changed, cancelled) = match (row.status.as_str(), row.is_cancelling) {
        ("requested", _) => (
            execution_order::cancel_requested(&mut tx, id, "it was cancelled before it began").await?,
            Cancelled::AtOnce,
        ),
        ("running", false) => (execution_order::ask_to_cancel(&mut tx, id).await?, Cancelled::Asked),
        ("running", true) => return Ok(Cancelled::AskedBefore),
        _ => return Err(Error::Ended(id, row.status)),
    };
    debug_assert!(changed, "the row is locked in the state that was read");
    tx.commit().await?;
    if cancelled == Cancelled::Asked {
        hints.wake(Topic::Cancel);
    }
    Ok(cancelled)
}
