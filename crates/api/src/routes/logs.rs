//! `GET /api/executions/{id}/logs`: what an execution wrote to stderr, byte for byte.
//!
//! It is read and sent part by part. Between two parts no place in the database is taken, however slowly the log is read.
//! A part that cannot be read ends the connection, so half a log never looks whole.

use std::sync::Arc;

use attune_common::repositories::execution::{self, LogPart};
use attune_common::repositories::listing::{self, Noun};
use axum::BoxError;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use super::executions::id;
use super::rows::Key;
use crate::answers::Answer;
use crate::failure::Failure;
use crate::readers::Reader;
use crate::state::Api;

/// Bytes of one part, more or less: a piece of the log is not cut.
const PART: i64 = 1024 * 1024;
/// What it is sent as.
const TEXT: &str = "text/plain";

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
    reader: Reader,
    key: Key,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(part) = part.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let id = id(key)?;
    let part = LogPart { execution: id, attempt: part.attempt, after: (0, 0) };
    let (first, rest) = next(&api, &reader, part).await?;
    if first.len() == 0 && listing::find(&reader, Noun::Execution, &id.to_string()).await?.is_none() {
        return Err(Failure::not_found(format!("there is no execution {id}")));
    }
    if rest.is_none() {
        return Ok(first.send(TEXT));
    }
    let trust = reader.trust;
    drop(reader);
    let further = stream::try_unfold((api, rest), move |(api, part)| async move {
        let Some(part) = part else { return Ok(None) };
        let reader = api.readers.place(trust).await?;
        let (answer, rest) = next(&api, &reader, part).await?;
        drop(reader);
        Ok(Some((answer.into_body(), (api, rest))))
    });
    let parts = stream::once(async { Ok(first.into_body()) }).chain(further.map_err(Failure::into_error));
    let bytes = parts.map_ok(|part| part.into_data_stream().map_err(BoxError::from)).try_flatten();
    Ok(([(header::CONTENT_TYPE, TEXT)], Body::from_stream(bytes.boxed())).into_response())
}

/// A part, paid for, and the one after it, unless this is the last.
async fn next(api: &Api, reader: &Reader, part: LogPart) -> Result<(Answer, Option<LogPart>), Failure> {
    let pieces = execution::log(reader, part, PART).await;
    let pieces = pieces.map_err(reader.failed("the log", "ask for one attempt"))?;
    let bytes = pieces.iter().map(|piece| piece.data.as_slice()).collect::<Vec<_>>().concat();
    let answer = api.answers.whole(reader.trust, &bytes).await?;
    let is_last = i64::try_from(bytes.len()).is_ok_and(|bytes| bytes < PART);
    let last = pieces.last().filter(|_| !is_last);
    Ok((answer, last.map(|last| LogPart { after: (last.attempt, last.id), ..part })))
}
