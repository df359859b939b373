//! What Attune noticed about itself becomes an event.
//!
//! A notice is written by the transaction that changes what it is about. Here it goes into ingest like a posted event, with
//! its id as the key, and is deleted afterwards. Whoever dies in between leaves it to the next round, whose event is a
//! duplicate then; so it is with executors side by side. Nothing is lost and nothing counts twice.
//!
//! Apart from the other reconcilers: whoever waits for ingest must not keep lost workers waiting.

use std::time::Duration;

use attune_common::repositories::notice::{self, Notice};
use attune_hints::{Hints, Topic};
use futures_util::future::join_all;
use sqlx::PgPool;
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
    #[error("notices can not be read and deleted")]
    Database(#[from] sqlx::Error),
    /// Ingest can not take any event now.
    #[error("a notice can not become an event now")]
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
        while !stop.is_cancelled() {
            waiter.arm();
            if let Err(error) = self.round().await {
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
        let forgotten = notice::delete_stale(&self.pool).await?;
        if forgotten > 0 {
            tracing::warn!(
                notices = forgotten,
                "Notices of the last week whose triggers do not exist were forgotten"
            );
        }
        loop {
            let notices = notice::list(&self.pool, BATCH).await?;
            let is_last = notices.len() < usize::try_from(BATCH).unwrap_or_default();
            self.tell_all(notices).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Tells a batch, side by side, so that it goes in with few commits; whatever was told is told once.
    async fn tell_all(&self, notices: Vec<Notice>) -> Result<(), RoundError> {
        let told = join_all(notices.into_iter().map(|notice| self.tell(notice))).await;
        let (told, failed): (Vec<_>, Vec<_>) = told.into_iter().partition(Result::is_ok);
        let told: Vec<i64> = told.into_iter().flatten().collect();
        notice::delete(&self.pool, &told).await?;
        failed.into_iter().find_map(Result::err).map_or(Ok(()), |error| Err(RoundError::Ingest(error)))
    }

    async fn tell(&self, notice: Notice) -> Result<i64, IngestError> {
        let id = notice.id;
        match self.ingest.submit(submission(notice), Duration::ZERO).await {
            Ok(_) => Ok(id),
            // Later it is taken.
            Err(error @ IngestError::Refused { refusal: Refusal::Held(_), .. }) => Err(error),
            // A trigger that is disabled or wants another payload will not want it later either.
            Err(IngestError::Refused { refusal, .. }) => {
                tracing::debug!(notice.id = id, %refusal, "A notice is no event");
                Ok(id)
            }
            Err(error) => Err(error),
        }
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
