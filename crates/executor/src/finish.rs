//! How attempts end: one transaction for all that end together, fenced by attempt number.
//!
//! An ended attempt is `succeeded`, `failed`, `timed_out` or `cancelled`, or goes back into the queue when its retry policy
//! allows another. An attempt that was declared lost meanwhile changes nothing: its successor owns the execution.

use std::collections::HashSet;
use std::time::Duration;

use attune_common::db::is_transient;
use attune_common::repositories::execution::{self, Finished, Finishes};
use attune_hints::{Hints, Topic};
use serde_json::Value;
use sqlx::PgPool;

use crate::group_commit::{GroupCommit, Limits, Weigh};

/// Attempts per transaction.
const BATCH: usize = 1000;
/// Between attempts to write while the database is away.
const RETRY: Duration = Duration::from_millis(200);
/// Between attempts to write what the database refuses in every form.
const REFUSED: Duration = Duration::from_secs(5);

/// How one attempt ended.
#[derive(Debug, Clone)]
pub struct Finish {
    /// `execution.id`.
    pub execution: i64,
    /// The attempt that ended.
    pub attempt: i32,
    /// How.
    pub outcome: Outcome,
    /// Until the next attempt; `None`: this was the last.
    pub retry_in: Option<Duration>,
    /// The part of the log that is not stored yet.
    pub log: Vec<u8>,
}

/// How an attempt ended, with what it left.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It did what it should; the result is what it printed or returned.
    Succeeded(Value),
    /// It ended otherwise.
    Failed {
        /// What it printed or returned nevertheless.
        result: Option<Value>,
        /// Why this is a failure.
        error: String,
    },
    /// Its time was over.
    TimedOut {
        /// How long it had.
        error: String,
    },
    /// An order wanted it to end.
    Cancelled,
}

/// What became of a [`Finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the database.
    Yes,
    /// The attempt had been declared lost; nothing was written.
    Lost,
}

/// The entrance for ended attempts of one worker; clones are the same one.
#[derive(Debug, Clone)]
pub struct Finisher(GroupCommit<Finish, Recorded>);

impl Finisher {
    /// Starts one for `worker`.
    pub fn start(pool: PgPool, hints: Hints, worker: i64) -> Self {
        Self(GroupCommit::start(Limits { in_flight: 1, weight: BATCH }, move |batch| {
            commit(pool.clone(), hints.clone(), worker, batch)
        }))
    }

    /// Records an end. Waits for a database that is away: what a program did is not forgotten for that.
    pub async fn finish(&self, finish: Finish) -> Recorded {
        self.0.submit(finish).await.unwrap_or(Recorded::Lost)
    }
}

impl Weigh for Finish {
    fn weight(&self) -> usize {
        let result = self.outcome.parts().1.map_or(0, |result| result.to_string().len());
        1 + (self.log.len() + result) / 10_000
    }
}

async fn commit(pool: PgPool, hints: Hints, worker: i64, batch: Vec<Finish>) -> Vec<Recorded> {
    let written = write(&pool, worker, &batch).await;
    if batch.iter().any(|finish| finish.retry_in.is_some()) {
        hints.wake(Topic::Execution);
    }
    if written.iter().any(|it| it.had_turn) {
        hints.wake(Topic::Turn);
    }
    let written: HashSet<_> = written.iter().map(|it| it.id).collect();
    let recorded = |id| if written.contains(&id) { Recorded::Yes } else { Recorded::Lost };
    batch.iter().map(|finish| recorded(finish.execution)).collect()
}

/// Writes until the database answers. A second write of the same end finds nothing running and changes nothing, so an
/// answer that was lost on the way does no harm; it is then reported as lost although it is in.
async fn write(pool: &PgPool, worker: i64, batch: &[Finish]) -> Vec<Finished> {
    loop {
        match execution::finish(pool, worker, &columns(batch)).await {
            Ok(written) => return written,
            Err(error) if is_transient(&error) => tokio::time::sleep(RETRY).await,
            Err(error) => return write_apart(pool, worker, batch, error).await,
        }
    }
}

/// An end that the database refuses costs its neighbours nothing, and leaves nothing running: each is written alone, and
/// the one at fault as a failure that says so.
async fn write_apart(pool: &PgPool, worker: i64, batch: &[Finish], error: sqlx::Error) -> Vec<Finished> {
    if let [refused] = batch {
        return write_failure(pool, worker, refused, error).await;
    }
    let mut written = Vec::new();
    for finish in batch {
        written.extend(Box::pin(write(pool, worker, std::slice::from_ref(finish))).await);
    }
    written
}

async fn write_failure(
    pool: &PgPool,
    worker: i64,
    refused: &Finish,
    mut error: sqlx::Error,
) -> Vec<Finished> {
    loop {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            worker.id = worker,
            execution.id = refused.execution,
            "How an attempt ended could not be recorded"
        );
        let reason = format!("how it ended could not be recorded: {error}");
        let outcome = Outcome::Failed { result: None, error: reason };
        let failure = Finish { outcome, retry_in: None, ..refused.clone() };
        match execution::finish(pool, worker, &columns(&[failure])).await {
            Ok(written) => return written,
            Err(other) => error = other,
        }
        tokio::time::sleep(REFUSED).await;
    }
}

fn columns(batch: &[Finish]) -> Finishes {
    let mut columns = Finishes::default();
    for finish in batch {
        let (status, result, error) = finish.outcome.parts();
        columns.execution.push(finish.execution);
        columns.attempt.push(finish.attempt);
        columns.status.push(status.to_owned());
        columns.result.push(result.cloned());
        columns.error.push(error.map(|error| error.replace('\0', "\\0")));
        columns.retry_in.push(finish.retry_in.map(|delay| delay.as_secs_f64()));
        columns.log.push(finish.log.clone());
    }
    columns
}

impl Outcome {
    fn parts(&self) -> (&'static str, Option<&Value>, Option<&str>) {
        match self {
            Self::Succeeded(result) => ("succeeded", Some(result), None),
            Self::Failed { result, error } => ("failed", result.as_ref(), Some(error)),
            Self::TimedOut { error } => ("timed_out", None, Some(error)),
            Self::Cancelled => ("cancelled", None, Some("it was cancelled while it ran")),
        }
    }
}
