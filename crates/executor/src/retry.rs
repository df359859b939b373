//! An execution that ended, once more by hand: the same action and parameters, a new row with `retry_of`.
//!
//! It has no enforcement: what a rule asked for was the first one, and per enforcement there is exactly one. The action is
//! taken as it is now, code and schema, because it was probably mended in between. An end is an end, so nothing has to be
//! locked.

use attune_common::repositories::execution_order::{self, OrderedRow};
use attune_hints::Hints;
use sqlx::PgPool;

use crate::request::{self, Work};

/// Why it is not run again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such execution.
    #[error("there is no execution {0}")]
    Unknown(i64),
    /// It has not ended.
    #[error("execution {0} is {1}; only what has ended can be run again")]
    NotEnded(i64, String),
    /// There is nothing to mend.
    #[error("execution {0} succeeded; to run it again nevertheless, use --force")]
    Succeeded(i64),
    /// Its action does not take it.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// The database refused or did not answer.
    #[error("can not read the execution")]
    Database(#[from] sqlx::Error),
}

/// Requests an ended execution once more; one that succeeded only with `force`. Returns the new one's id.
pub async fn retry_execution(pool: &PgPool, hints: &Hints, id: i64, force: bool) -> Result<i64, Error> {
    let mut connection = pool.acquire().await?;
    let row = execution_order::find_for_update(&mut connection, id).await?.ok_or(Error::Unknown(id))?;
    drop(connection);
    check(&row, force)?;
    if let Some(reason) = row.fault {
        return Err(request::Error::Params(reason).into());
    }
    let work = Work::check(pool, &row.action_ref, row.params).await?;
    let again = execution_order::request_again(pool, id, &work.params)
        .await?
        .ok_or_else(|| work.refused(&row.action_ref))?;
    Ok(request::announce(hints, again))
}

fn check(row: &OrderedRow, force: bool) -> Result<(), Error> {
    match row.status.as_str() {
        "requested" | "running" => Err(Error::NotEnded(row.id, row.status.clone())),
        "succeeded" if !force => Err(Error::Succeeded(row.id)),
        _ => Ok(()),
    }
}
