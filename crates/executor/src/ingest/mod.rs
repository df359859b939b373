//! Events in: matched in memory, committed together with all that follows from them.
//!
//! A submission (the events of one poll with the sensor's state, or one posted batch) is prepared against the current rule
//! book, joins whatever else waits, and goes into the database in one statement: events, sensor state, enforcements and
//! executions, all or nothing. What can happen to it:
//!
//! - the rules changed meanwhile: nothing was written, it is prepared again;
//! - the sensor's epoch is no longer its own: [`IngestError::Fenced`], its neighbours are not touched;
//! - the connection broke and it is not known whether the commit happened: event ids are drawn beforehand, so looking for them
//!   settles it, and a commit that is still under way makes the second attempt fail on the primary key instead of doubling.

mod admit;
mod breath;
mod columns;
mod effort;
mod enforce;
mod error;
mod fan_out;
mod ids;
mod prepare;
mod rates;
mod submission;
mod submit;
mod work_limits;

use std::sync::Arc;

use attune_common::repositories::event;
use attune_hints::{Hints, Topic};
use chrono::{DateTime, Utc};
use sqlx::PgPool;

pub use error::{IngestError, Refusal};
pub use fan_out::Bound;
pub use submission::{Cause, NewEvent, Origin, Receipt, RejectedEvent, SensorCommit, SensorRate, Submission};

use crate::group_commit::{GroupCommit, Limits};
use crate::rules::RuleCache;
pub use admit::check;
use columns::gather_columns;
pub use columns::own_key_source;
use effort::Effort;
use ids::Ids;
use prepare::Prepared;
pub use rates::Over;
use rates::{Rates, Taken};
pub(crate) use work_limits::readable;
pub use work_limits::{OutOfWork, WorkLimits};

/// Where the time comes from; a parameter, so that tests choose it.
pub type Clock = fn() -> DateTime<Utc>;

/// A batch ends at this many rows out, fan-out counted.
const BATCH_ROWS: usize = 5000;
/// One batch runs while the next one's arrays travel.
const IN_FLIGHT: usize = 2;

/// The entrance for events; clones are the same one.
#[derive(Debug, Clone)]
pub struct Ingest(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    rules: Arc<RuleCache>,
    ids: Ids,
    clock: Clock,
    rates: Arc<Rates>,
    work: WorkLimits,
    commits: GroupCommit<Prepared, Outcome>,
}

/// What became of one prepared submission.
#[derive(Debug)]
enum Outcome {
    Committed(Receipt),
    Stale,
    Fenced,
    Failed { error: Arc<sqlx::Error>, shared: bool, taken: Taken },
}

impl Ingest {
    /// Starts ingest on a database; executions are announced on `hints`.
    pub fn start(pool: PgPool, rules: Arc<RuleCache>, hints: Hints, clock: Clock) -> Self {
        Self::start_within(WorkLimits::default(), pool, rules, hints, clock)
    }

    /// As [`Self::start`], with other limits of work.
    pub fn start_within(
        work: WorkLimits,
        pool: PgPool,
        rules: Arc<RuleCache>,
        hints: Hints,
        clock: Clock,
    ) -> Self {
        let committing = pool.clone();
        let commits = GroupCommit::start(Limits { in_flight: IN_FLIGHT, weight: BATCH_ROWS }, move |batch| {
            commit(committing.clone(), hints.clone(), batch)
        });
        let ids = Ids::new(pool.clone());
        Self(Arc::new(Inner { pool, rules, ids, clock, rates: Arc::default(), work, commits }))
    }

    /// The rules that events are matched against.
    pub fn rules(&self) -> &Arc<RuleCache> {
        &self.0.rules
    }
}

/// Commits one batch and answers each of its submissions.
async fn commit(pool: PgPool, hints: Hints, batch: Vec<Prepared>) -> Vec<Outcome> {
    // All of a batch must have been matched against one version; the oldest is as good as any, since a stale one fails alone.
    let newest = batch.iter().map(|prepared| prepared.version).max().unwrap_or(0);
    let mut columns = gather_columns(batch.iter().filter(|prepared| prepared.version == newest));
    let shared = batch.len() > 1;
    let inserted = match event::insert_batch(&pool, newest, &columns.batch).await {
        Ok(inserted) => inserted,
        Err(error) => {
            let error = Arc::new(error);
            let failed = |taken| Outcome::Failed { error: Arc::clone(&error), shared, taken };
            return batch.into_iter().map(|prepared| failed(prepared.taken)).collect();
        }
    };
    if inserted.executions > 0 {
        hints.wake(Topic::Execution);
    }
    if inserted.is_any_waiting {
        hints.wake(Topic::Turn);
    }
    let is_stale = inserted.version != newest;
    columns.note(inserted);
    batch
        .into_iter()
        .map(|prepared| {
            if is_stale || prepared.version != newest {
                Outcome::Stale
            } else {
                let outcome = columns.outcome_of(&prepared);
                if let Outcome::Committed(receipt) = &outcome {
                    prepared.taken.keep(&receipt.events);
                }
                outcome
            }
        })
        .collect()
}
