//! `POST /api/rules/{ref}/test`: what a rule would make of an event, or makes of the newest stored ones.
//!
//! Nothing is written. It asks for the token all the same: the answer holds parameters that were rendered from the pack's
//! configuration, for an event of the caller's choice.

use std::sync::Arc;

use attune_common::repositories::listing::Noun;
use attune_executor::rules::trial::{self, MOST, TrialError};
use axum::Json;
use axum::extract::{Request, State};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rows::{self, Key};
use crate::body;
use crate::failure::Failure;
use crate::state::Api;
use crate::trust::Trust;

/// An event, with room for what JSON adds to it.
const LIMIT: usize = 2 * 1024 * 1024;

/// What the caller sends: an event, or how many stored ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    event: Option<Value>,
    last: Option<i64>,
}

/// One answer, or one for each stored event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    One(trial::Report),
    Many(trial::History),
}

/// 200 and the answer.
pub(super) async fn test(
    State(api): State<Arc<Api>>,
    key: Key,
    request: Request,
) -> Result<Json<Answer>, Failure> {
    let rule = rows::text(key)?;
    let asked: Asked = body::parse(&body::read(request, body::json(LIMIT)).await?)?;
    let answer = match (asked.event, asked.last) {
        (Some(event), None) => trial::try_event(&api.pool, &rule, event, Utc::now()).await.map(Answer::One),
        (None, Some(count)) if (1..=MOST).contains(&count) => {
            trial::try_last(&api.pool, &rule, count).await.map(Answer::Many)
        }
        (None, Some(_)) => return Err(Failure::unprocessable(format!("last must be from 1 to {MOST}"))),
        _ => return Err(Failure::unprocessable("either `event` or `last` is wanted")),
    };
    match answer {
        Ok(answer) => Ok(Json(answer)),
        Err(TrialError::NoEvent(reason)) => Err(Failure::unprocessable(reason)),
        Err(TrialError::Database(error)) => Err(error.into()),
        Err(TrialError::UnknownRule(name)) => Err(unusable(&api, &name).await),
    }
}

/// The rule is not there, or its trigger was taken away.
async fn unusable(api: &Api, name: &str) -> Failure {
    let reader = match api.readers.place(Trust::Token).await {
        Ok(reader) => reader,
        Err(failure) => return failure,
    };
    match rows::find(api, &reader, Noun::Rule, name).await {
        Ok(row) if row["ref"] == name => {
            Failure::conflict(format!("rule {name} is broken: it has no trigger"))
        }
        Ok(_) => rows::unknown(&reader, Noun::Rule, name).await,
        Err(failure) => failure,
    }
}
