//! Bodies: of one type, of bounded size, within bounded time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt as _;
use hyper::body::{Frame, Incoming, SizeHint};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::patience::Patience;

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

/// Reads a whole body, as long as it comes fast enough.
pub(crate) async fn read(request: Request, expected: Expected) -> Result<Bytes, Failure> {
    let headers = request.headers();
    check_type(headers, expected.content_type)?;
    check_length(headers, expected.limit)?;
    let limits = request.extensions().get::<Arc<Limits>>().cloned().unwrap_or_default();
    let collected = collect(request.into_body(), expected.limit, Patience::new(&limits));
    tokio::time::timeout(expected.patience, collected).await.map_err(|_| late())?
}

async fn collect(body: Body, limit: usize, mut patience: Patience) -> Result<Bytes, Failure> {
    let (mut stream, mut bytes) = (body.into_data_stream(), Vec::new());
    loop {
        let since = Instant::now();
        let next = tokio::time::timeout(patience.left(), stream.next()).await.map_err(|_| late())?;
        let Some(chunk) = next else { return Ok(bytes.into()) };
        let chunk = chunk.map_err(|_| Failure::bad_request("the body broke off"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        patience.spend(since.elapsed(), chunk.len());
        bytes.extend_from_slice(&chunk);
    }
}

fn late() -> Failure {
    Failure::Refused(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time".to_owned())
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

/// A body that says when all of it was read.
#[derive(Debug)]
pub(crate) struct Watched {
    body: Incoming,
    is_read: Arc<AtomicBool>,
}

impl Watched {
    pub(crate) fn new(body: Incoming, is_read: Arc<AtomicBool>) -> Self {
        Self { body, is_read }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Release);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
