//! The one task that waits for all timers.

use std::sync::Arc;
use std::time::Duration;

use attune_executor::ingest::{Clock, Ingest, IngestError};
use attune_executor::rules::RuleBook;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::error::RoundError;
use crate::fired;
use crate::follow::follow;
use crate::roster::Roster;
use crate::rules;
use crate::tally::Tally;

/// The longest sleep: a clock that was set is noticed after it, and what failed is tried again.
const PERIOD: Duration = Duration::from_secs(1);
/// An instant that is late by this much may have been fired by somebody else. No timer has two instants within it.
const DOUBT: TimeDelta = TimeDelta::seconds(1);
/// How long ingest waits for a database that is away.
const PATIENCE: Duration = Duration::from_secs(1);

/// All timers of an installation; every sensor service has them.
#[derive(Debug)]
pub struct Timers {
    pool: PgPool,
    ingest: Ingest,
    rules: watch::Receiver<Arc<RuleBook>>,
    roster: Roster,
    tally: Tally,
    /// The rules that the roster follows; none before the first, nor after a round that failed on the way to others.
    followed: Option<Arc<RuleBook>>,
    is_new: bool,
    last_round: DateTime<Utc>,
}

impl Timers {
    /// Timers that know nothing yet; the first round reads where they are.
    pub fn new(pool: PgPool, ingest: Ingest) -> Self {
        let rules = ingest.rules().subscribe();
        let (roster, tally) = (Roster::default(), Tally::default());
        let last_round = DateTime::UNIX_EPOCH;
        Self { pool, ingest, rules, roster, tally, followed: None, is_new: true, last_round }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.roster.len()
    }

    /// Fires what is due until `stop`.
    pub async fn run(mut self, clock: Clock, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let next = self.round(clock()).await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "A round of the timers failed");
                None
            });
            let wait = next.and_then(|next| (next - clock()).to_std().ok().or(Some(Duration::ZERO)));
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.rules.changed() => {}
                () = tokio::time::sleep(wait.unwrap_or(PERIOD).min(PERIOD)) => {}
            }
        }
        if let Err(error) = self.tally.write(&self.pool, self.last_round, true).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "What timers did was not written down");
        }
    }

    /// Follows the rules and fires everything that is due at `now`. Returns the next instant that will be.
    pub async fn round(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, RoundError> {
        if now < self.last_round - DOUBT {
            tracing::warn!(from = %self.last_round, to = %now, "The clock went back; timers count from there again");
            self.roster.rewind(&self.rules.borrow(), now);
        }
        self.last_round = now;
        self.follow_rules(now).await?;
        let due = self.roster.due(now);
        self.fire(&due, now).await?;
        self.tally.write(&self.pool, now, false).await?;
        Ok(self.roster.next())
    }

    async fn follow_rules(&mut self, now: DateTime<Utc>) -> Result<(), RoundError> {
        if self.is_new {
            self.ingest.rules().renew(0).await?;
        }
        let book = Arc::clone(&self.rules.borrow_and_update());
        let before = self.followed.take();
        if before.as_ref().is_none_or(|before| before.version != book.version) {
            follow(&self.pool, &mut self.roster, before.as_deref(), &book, now, self.is_new).await?;
        }
        (self.followed, self.is_new) = (Some(book), false);
        Ok(())
    }

    /// What the database refuses stays due, and holds up nothing else.
    async fn fire(&mut self, due: &[i64], now: DateTime<Utc>) -> Result<(), RoundError> {
        self.learn(due, now).await?;
        let (mut batch, mut refused) = (Batch::default(), Ok(()));
        for id in due {
            if let Some(timer) = self.roster.get(*id).filter(|timer| timer.is_due(now)) {
                let due = {
                    let _note = rules::note(&self.rules.borrow(), &timer.name);
                    timer.due(now)
                };
                batch.add(timer, due, now);
            }
            if batch.is_full() || due.last() == Some(id) {
                match self.submit(&std::mem::take(&mut batch), now).await {
                    Err(error @ IngestError::Database(_)) => refused = Err(error),
                    done => done.map_err(RoundError::Ingest)?,
                }
            }
        }
        refused.map_err(RoundError::Ingest)
    }

    /// Where an instant is late, finds out who fired what meanwhile.
    async fn learn(&mut self, due: &[i64], now: DateTime<Utc>) -> Result<(), RoundError> {
        let first = due.first().and_then(|id| self.roster.get(*id)?.next());
        let Some(first) = first.filter(|first| now - *first >= DOUBT) else { return Ok(()) };
        let fired = fired::newest_since(&self.pool, first, now).await?;
        let book = self.rules.borrow();
        for (id, newest) in due.iter().filter_map(|id| Some((*id, *fired.get(id)?))) {
            self.roster.go_on(&book, id, newest);
        }
        Ok(())
    }

    /// Commits a batch. When the database refuses it, each timer of it is tried alone.
    async fn submit(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<(), IngestError> {
        let refusal = match self.commit(batch, now).await {
            Err(error @ IngestError::Database(_)) => error,
            done => return done,
        };
        let each = batch.split();
        let mut outcome = if each.is_empty() { Err(refusal) } else { Ok(()) };
        for one in &each {
            match self.commit(one, now).await {
                Err(error @ IngestError::Database(_)) => outcome = Err(error),
                done => done?,
            }
        }
        outcome
    }

    async fn commit(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<(), IngestError> {
        let receipt = match batch.submission() {
            Some(submission) => Some(self.ingest.submit(submission, PATIENCE).await?),
            None => None,
        };
        if let Some(refused) = receipt.as_ref().map(|it| it.rejected).filter(|refused| *refused > 0) {
            tracing::warn!(events = refused, "Timers fired events that their triggers do not take");
        }
        let book = self.rules.borrow();
        for (id, due, fired) in batch.outcomes(receipt.as_ref()) {
            self.tally.note(id, due, fired, now);
            self.roster.go_on(&book, id, now);
        }
        Ok(())
    }
}
