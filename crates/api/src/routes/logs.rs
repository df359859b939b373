//! `GET /api/executions/{id}/logs`: what an execution wrote to stderr, byte for byte.

use std::sync::Arc;

use attune_common::repositories::execution;
use attune_common::repositories::listing::{self, Noun};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;

use super::executions::id;
use super::rows::Key;
use crate::failure::Failure;
use crate::state::Api;

/// Which part of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// One attempt; without it all of them, one after the other.
    attempt: Option<i32>,
}

/// The bytes as they came; they need not be text in any encoding.
pub(super) async fn logs(
    State(api): State<Arc<Api>>,
    key: Key,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<impl IntoResponse, Failure> {
    let Query(part) = part.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let id = id(key)?;
    let pieces = execution::log(&api.pool, id).await?;
    if pieces.is_empty() && listing::find(&api.pool, Noun::Execution, &id.to_string()).await?.is_none() {
        return Err(Failure::not_found(format!("there is no execution {id}")));
    }
    let wanted =
        pieces.into_iter().filter(|(attempt, _)| part.attempt.is_none_or(|wanted| wanted == *attempt));
    let bytes: Vec<u8> = wanted.flat_map(|(_, data)| data).collect();
    Ok(([(header::CONTENT_TYPE, "text/plain")], bytes))
}
