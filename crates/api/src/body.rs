//! Bodies: of one type, of bounded size, within bounded time.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt as _;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::failure::Failure;

/// What is read of a refused body, and for how long.
const DISCARDED: u64 = 64 * 1024 * 1024;
const DISCARD_PATIENCE: Duration = Duration::from_secs(5);

/// What a kind of body may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) content_type: &'static str,
    pub(crate) limit: usize,
    pub(crate) patience: Duration,
}

/// JSON of at most `limit` bytes.
pub(crate) const fn json(limit: usize) -> Expected {
    Expected { content_type: "application/json", limit, patience: Duration::from_secs(30) }
}

/// Reads a whole body.
pub(crate) async fn read(request: Request, expected: Expected) -> Result<Bytes, Failure> {
    let headers = request.headers();
    let acceptable =
        check_type(headers, expected.content_type).and_then(|()| check_length(headers, expected.limit));
    if let Err(failure) = acceptable {
        discard(request).await;
        return Err(failure);
    }
    let late =
        |_| Failure::Refused(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".to_owned());
    tokio::time::timeout(expected.patience, collect(request.into_body(), expected.limit))
        .await
        .map_err(late)?
}

/// Reads on after a refusal, within bounds: a client that still sends would not see the answer.
pub(crate) async fn discard(request: Request) {
    if length(request.headers()).is_some_and(|length| length > DISCARDED) {
        return;
    }
    let mut stream = request.into_body().into_data_stream();
    let read = async {
        let mut left = DISCARDED;
        while let (true, Some(Ok(chunk))) = (left > 0, stream.next().await) {
            left = left.saturating_sub(chunk.len() as u64);
        }
    };
    // However it ends, the request is refused.
    drop(tokio::time::timeout(DISCARD_PATIENCE, read).await);
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Failure> {
    to_bytes(body, limit).await.map_err(|error| {
        let is_length = error.source().is_some_and(<dyn Error>::is::<LengthLimitError>);
        if is_length { too_large(limit) } else { Failure::bad_request("the body broke off") }
    })
}

fn check_type(headers: &HeaderMap, wanted: &str) -> Result<(), Failure> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    let is_plain = headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    if essence.eq_ignore_ascii_case(wanted) && is_plain {
        return Ok(());
    }
    Err(Failure::Refused(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("the body must be {wanted}, sent as it is"),
    ))
}

/// Refuses before the body is on its way.
fn check_length(headers: &HeaderMap, limit: usize) -> Result<(), Failure> {
    if length(headers).is_some_and(|length| length > limit as u64) { Err(too_large(limit)) } else { Ok(()) }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> Failure {
    Failure::Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} bytes"))
}

/// Parses JSON: text that is no JSON is not understood, JSON that is not what is wanted is refused.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Failure::unprocessable(error.to_string()),
        Category::Syntax | Category::Eof | Category::Io => {
            Failure::bad_request(format!("the body is no JSON: {error}"))
        }
    })
}
