//! Trials of rules that are in the database. They only read.

use attune_common::repositories::event;
use attune_common::repositories::rule::{self, KnownRule};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;

use super::{History, OnTrial, Report};
use crate::apart::apart;

/// Stored events of one trial at most.
pub const MOST: i64 = 1000;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// No such rule, or one without a trigger.
    #[error("there is no rule {0}")]
    UnknownRule(String),
    /// What was given is no event.
    #[error("{0}")]
    NoEvent(String),
    /// The database did not answer.
    #[error("can not read the rule and its events")]
    Database(#[from] sqlx::Error),
}

/// What the rule would make of an event that came in now.
pub async fn try_event(
    pool: &PgPool,
    rule: &str,
    event: Value,
    now: DateTime<Utc>,
) -> Result<Report, TrialError> {
    let known = find(pool, rule).await?;
    apart(move || OnTrial::new(known).try_given(event, now)).await.map_err(TrialError::NoEvent)
}

/// What the rule, as it is now, makes of the newest events of its trigger.
pub async fn try_last(pool: &PgPool, rule: &str, count: i64) -> Result<History, TrialError> {
    let known = find(pool, rule).await?;
    let events = event::list_last(pool, &known.trigger.r#ref, count.clamp(0, MOST)).await?;
    Ok(apart(move || OnTrial::new(known).try_stored(&events)).await)
}

async fn find(pool: &PgPool, name: &str) -> Result<KnownRule, TrialError> {
    rule::find(pool, name).await?.ok_or_else(|| TrialError::UnknownRule(name.to_owned()))
}
