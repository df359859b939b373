//! What Attune noticed about itself becomes an event.
//!
//! A notice is written by the transaction that changes what it is about. Here it goes into ingest like a posted event, with
//! its id as the key, and is deleted afterwards. An executor that dies in between leaves it to the next round, whose event is a
//! duplicate then; so it is with executors side by side. Nothing is lost and nothing counts twice.
//!
//! Apart from the other reconcilers: what waits for ingest must not keep lost workers waiting.

use std::collections::HashMap;
use std::time::Duration;

use attune_common::repositories::notice::{self, Notice};
use attune_hints::{Hints, Topic};
use futures_util::future::join_all;
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::PERIOD;
use crate::ingest::{Ingest, IngestError, NewEvent, Origin, Refusal, Submission};

/// `event.source` of what Attune itself has noticed.
const SOURCE: &str = "attune";

/// Notices of one look.
const BATCH: i64 = 100;

/// Why a round ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The table could not be read or written.
    #[error("notices cannot be read and deleted")]
    Database(#[from] sqlx::Error),
    /// Ingest can not take any event now.
    #[error("a notice cannot become an event now")]
    Ingest(#[source] IngestError),
}

/// Turns notices into events.
#[derive(Debug, Clone)]
pub struct Notices {
    /// The database.
    pub pool: PgPool,
    /// Says when there are new ones.
    pub hints: Hints,
    /// Where events go.
    pub ingest: Ingest,
}

impl Notices {
    /// Runs rounds until `stop`, at each hint and now and then.
    pub async fn run(&self, stop: CancellationToken) {
        let mut waiter = self.hints.waiter(Topic::Notice);
        let mut held = HeldTriggers::default();
        while !stop.is_cancelled() {
            waiter.arm();
            if let Err(error) = self.round_without(&mut held).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "What Attune noticed could not be told to the rules");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = waiter.wait(PERIOD) => {}
            }
        }
    }

    /// Tells all that there are, the oldest first.
    pub async fn round(&self) -> Result<(), RoundError> {
        self.round_without(&mut HeldTriggers::default()).await
    }

    /// As [`Self::round`], without those whose trigger is held, as far as that is known before or becomes known.
    async fn round_without(&self, held: &mut HeldTriggers) -> Result<(), RoundError> {
        let forgotten = notice::delete_stale(&self.pool).await?;
        if forgotten > 0 {
            tracing::warn!(
                notices = forgotten,
                "Notices of the last week whose triggers do not exist were forgotten"
            );
        }
        let mut last = 0;
        loop {
            let notices = notice::list(&self.pool, last, &held.triggers(), BATCH).await?;
            let Some(newest) = notices.last() else { return Ok(()) };
            last = newest.id;
            self.tell_all(notices, held).await?;
        }
    }

    /// Tells a batch, side by side, so that it goes in with few commits; whatever was told is told once.
    async fn tell_all(&self, notices: Vec<Notice>, held: &mut HeldTriggers) -> Result<(), RoundError> {
        let outcomes = join_all(notices.into_iter().map(|notice| self.tell(notice))).await;
        let (mut told, mut failed) = (Vec::new(), Ok(()));
        for outcome in outcomes {
            match outcome {
                Ok(Told::Yes(id)) => told.push(id),
                Ok(Told::Held(trigger, seconds)) => held.add(trigger, seconds),
                Err(error) => failed = Err(RoundError::Ingest(error)),
            }
        }
        notice::delete(&self.pool, &told).await?;
        failed
    }

    async fn tell(&self, notice: Notice) -> Result<Told, IngestError> {
        let (id, trigger) = (notice.id, notice.trigger_ref.clone());
        match self.ingest.submit(submission(notice), Duration::ZERO).await {
            Ok(_) => Ok(Told::Yes(id)),
            Err(IngestError::Refused { refusal: Refusal::Held(over), .. }) => {
                Ok(Told::Held(trigger, over.wait))
            }
            // A trigger that is disabled or wants another payload will not want it later either.
            Err(IngestError::Refused { refusal, .. }) => {
                tracing::debug!(notice.id = id, %refusal, "A notice is no event");
                Ok(Told::Yes(id))
            }
            Err(error) => Err(error),
        }
    }
}

/// What became of a notice.
enum Told {
    /// It is an event, or will never be one.
    Yes(i64),
    /// Its trigger takes no more for so many seconds.
    Held(String, i64),
}

/// Triggers that take no more for now, and until when. Their notices wait, and hide no others.
#[derive(Debug, Default)]
struct HeldTriggers(HashMap<String, Instant>);

impl HeldTriggers {
    fn add(&mut self, trigger: String, seconds: i64) {
        let wait = Duration::from_secs(seconds.unsigned_abs());
        self.0.insert(trigger, Instant::now() + wait);
    }

    /// Those that are held still.
    fn triggers(&mut self) -> Vec<String> {
        let now = Instant::now();
        self.0.retain(|_, until| *until > now);
        self.0.keys().cloned().collect()
    }
}

fn submission(notice: Notice) -> Submission {
    let event = NewEvent {
        trigger: notice.trigger_ref,
        payload: notice.payload,
        trigger_params: None,
        key: Some(notice.id.to_string()),
    };
    Submission { origin: Origin::Post { source: Some(SOURCE.to_owned()) }, events: vec![event] }
}
