//! The way of one submission: prepare, commit, and again while that can help.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use attune_common::db::is_transient;
use attune_common::repositories::{config_version, event};
use chrono::{DateTime, SubsecRound as _, Utc};

use super::columns::key_source;
use super::error::IngestError;
use super::prepare::{Prepared, Stamp};
use super::submission::{Receipt, Submission};
use super::{Effort, Ingest, Outcome};

/// Between attempts while the database is away.
const RETRY: Duration = Duration::from_millis(200);

/// The ids and the time that a submission keeps through every attempt.
#[derive(Debug)]
struct Identity {
    ids: Vec<i64>,
    created: DateTime<Utc>,
}

impl Ingest {
    /// Commits a submission, or says why not. Waits up to `patience` for a database that is away.
    ///
    /// What leads to too much is an error for a poster. For a sensor or a timer it goes in in parts: when one fails, those
    /// before it are in and what is committed beside the events is not, so the submitter does all of it again.
    pub async fn submit(&self, submission: Submission, patience: Duration) -> Result<Receipt, IngestError> {
        // The next part is the last one.
        let (mut parts, mut receipt) = (vec![submission], Receipt::default());
        while let Some(part) = parts.pop() {
            let part = Arc::new(part);
            match self.submit_whole(&part, patience).await {
                Ok(next) => receipt.extend(next),
                Err(IngestError::FanOut { fits, .. }) if !part.is_posted() => {
                    // Nothing else has it any more, so it is taken apart and not copied.
                    parts.extend(Arc::unwrap_or_clone(part).split(fits));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(receipt)
    }

    /// Commits a submission at once.
    async fn submit_whole(
        &self,
        submission: &Arc<Submission>,
        patience: Duration,
    ) -> Result<Receipt, IngestError> {
        let deadline = tokio::time::Instant::now() + patience;
        let identity = self.identify(submission, deadline).await?;
        let (mut solo, mut known) = (false, None);
        let none = HashSet::new();
        loop {
            let book = self.0.rules.current();
            let stamp = Stamp { ids: &identity.ids, created: identity.created };
            let mut taking = self.0.rates.taking(stamp.created, known.as_ref().unwrap_or(&none));
            let effort = Effort::new(self.0.work);
            let prepared = Prepared::new(&book, submission, stamp, &mut taking, effort);
            let mut prepared = match prepared.await {
                Ok(prepared) => prepared,
                // Refused by what may be yesterday's rules: only the rules in force may refuse.
                Err(_) if self.is_behind(book.version, deadline).await? => {
                    self.renew_rules(book.version, deadline).await?;
                    continue;
                }
                Err(refused) => {
                    self.0.rates.tell(&self.0.pool, stamp.created, taking.held()).await;
                    return Err(refused);
                }
            };
            let held_keys = prepared.held_keys();
            if known.is_none() && !held_keys.is_empty() {
                known = Some(self.find_known(submission, deadline).await?);
                continue;
            }
            prepared.set_aside_held(&self.0.rates, stamp.created);
            prepared.solo = solo;
            let held = taking.held();
            match self.0.commits.submit(prepared).await.ok_or(IngestError::Stopped)? {
                Outcome::Committed(receipt) => {
                    self.0.rates.tell(&self.0.pool, stamp.created, held).await;
                    return Ok(receipt);
                }
                Outcome::Stale => self.renew_rules(book.version, deadline).await?,
                Outcome::Fenced => return Err(fenced(submission)),
                Outcome::Failed { error, shared, taken } => {
                    if let Some(receipt) =
                        self.settle(submission, &identity, &error, shared, deadline).await?
                    {
                        taken.keep(&receipt.events);
                        return Ok(receipt);
                    }
                    solo = true;
                }
            }
        }
    }

    /// After a failure: what is known to be in is done; what may go in later is tried again; the rest is an error.
    async fn settle(
        &self,
        submission: &Submission,
        identity: &Identity,
        error: &Arc<sqlx::Error>,
        shared: bool,
        deadline: tokio::time::Instant,
    ) -> Result<Option<Receipt>, IngestError> {
        let may_be_in = is_transient(error) || is_own_id(error);
        if !may_be_in {
            // A neighbour may be at fault: alone it may pass.
            return if shared { Ok(None) } else { Err(IngestError::Database(Arc::clone(error))) };
        }
        loop {
            match event::find_ids(&self.0.pool, &identity.ids).await {
                Ok(found) if !found.is_empty() => return Ok(Some(receipt_of(submission, identity, &found))),
                Ok(_) if shared => return Ok(None),
                Ok(_) => return wait_out(Arc::clone(error), deadline).await.map(|()| None),
                Err(error) => wait_out(error.into(), deadline).await?,
            }
        }
    }

    async fn identify(
        &self,
        submission: &Submission,
        deadline: tokio::time::Instant,
    ) -> Result<Identity, IngestError> {
        loop {
            match self.0.ids.take(submission.events.len()).await {
                // Milliseconds, as everywhere: row, condition and template see the same instant.
                Ok(ids) => return Ok(Identity { ids, created: (self.0.clock)().trunc_subsecs(3) }),
                Err(error) => wait_out(error.into(), deadline).await?,
            }
        }
    }

    /// Keys of a submission whose events are in already.
    async fn find_known(
        &self,
        submission: &Submission,
        deadline: tokio::time::Instant,
    ) -> Result<HashSet<String>, IngestError> {
        let keys: Vec<_> = submission.events.iter().filter_map(|event| event.key.clone()).collect();
        loop {
            match event::find_keys(&self.0.pool, &key_source(&submission.origin), &keys).await {
                Ok(known) => return Ok(known.into_iter().collect()),
                Err(error) => wait_out(error.into(), deadline).await?,
            }
        }
    }

    async fn is_behind(&self, version: i64, deadline: tokio::time::Instant) -> Result<bool, IngestError> {
        loop {
            match config_version::get(&self.0.pool).await {
                Ok(current) => return Ok(current != version),
                Err(error) => wait_out(error.into(), deadline).await?,
            }
        }
    }

    async fn renew_rules(&self, stale: i64, deadline: tokio::time::Instant) -> Result<(), IngestError> {
        while let Err(error) = self.0.rules.renew(stale).await {
            wait_out(error.into(), deadline).await?;
        }
        Ok(())
    }
}

/// Waits a moment after a transient failure; ends the attempt when that cannot help or patience is over.
async fn wait_out(error: Arc<sqlx::Error>, deadline: tokio::time::Instant) -> Result<(), IngestError> {
    if !is_transient(&error) {
        return Err(IngestError::Database(error));
    }
    if tokio::time::Instant::now() + RETRY > deadline {
        return Err(IngestError::Unavailable(error));
    }
    tokio::time::sleep(RETRY).await;
    Ok(())
}

/// The primary key of `event` refuses an id that is in already: an earlier attempt of the batch did commit.
fn is_own_id(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|database| database.constraint() == Some("event_pkey"))
}

fn fenced(submission: &Submission) -> IngestError {
    let sensor = submission.origin.commit().map(|commit| commit.sensor_ref.clone());
    IngestError::Fenced { sensor: sensor.unwrap_or_default() }
}

/// The receipt of a commit whose answer was lost. Its enforcements were not counted.
fn receipt_of(submission: &Submission, identity: &Identity, found: &[i64]) -> Receipt {
    let events: Vec<_> = identity.ids.iter().map(|id| found.contains(id).then_some(*id)).collect();
    let duplicates = submission.events.len() - found.len();
    let none = vec![0; events.len()];
    Receipt { enforcements: none.clone(), failed: none, events, duplicates, rejected: 0 }
}
