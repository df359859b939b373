//! What every request passes before and after the routes: the limit of its head, whose share it uses, and when its answer
//! counts as sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::body::Watched;
use crate::crowd::{Busy, Member};
use crate::failure::Failure;
use crate::guard::{self, Claim};
use crate::limits::Limits;
use crate::routes;
use crate::run;
use crate::state::Api;
use crate::trust::Trust;

/// What stands before the routes.
#[derive(Debug)]
pub(crate) struct Door {
    api: Arc<Api>,
    router: Router,
    /// Places of requests that name no token.
    anyone: Arc<Semaphore>,
    /// Places of requests with the token of a run, for when there is none of those.
    runs: Arc<Semaphore>,
}

impl Door {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        let Limits { connections, reserved, .. } = *api.bounds;
        let places = |count| Arc::new(Semaphore::new(count));
        let (anyone, runs) = (places(connections.saturating_sub(reserved)), places(reserved / 2));
        Self { router: routes::router(Arc::clone(&api)), api, anyone, runs }
    }

    pub(crate) fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.api.bounds)
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: hyper::Request<Incoming>, member: &Arc<Member>) -> Response {
        let busy = member.begin();
        let is_read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let request = request.map(|body| Body::new(Watched::new(body, Arc::clone(&is_read))));
        let mut response = self.pass(request, member).await;
        let headers = response.headers_mut();
        // Logs and payloads are other people's bytes: no browser shall take them for a page, or keep them.
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if !is_read.load(Ordering::Acquire) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|body| Body::new(Kept { body, _busy: busy }))
    }

    /// Hands a request to the routes, or refuses it.
    async fn pass(&self, mut request: Request, member: &Member) -> Response {
        if let Err(failure) = self.admit(&mut request, member).await {
            return failure.into_response();
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    /// Checks a request, finds it a place and tells the routes what they need to know of it. Without the API's token it needs
    /// a place, which its connection keeps until the answer is sent.
    async fn admit(&self, request: &mut Request, member: &Member) -> Result<(), Failure> {
        check_head(request, self.api.bounds.head_bytes)?;
        let trust = match guard::check(&self.api, request)? {
            Claim::Token => Trust::Token,
            Claim::Nothing => {
                member.keep(place(&[&self.anyone], "that name no token", "name one, or ")?);
                Trust::Anyone
            }
            Claim::Run(token) => {
                // No crowd of readers can take the places of runs, nor can a crowd of made-up tokens do so by itself.
                member.keep(place(&[&self.anyone, &self.runs], "with the token of a run", "")?);
                let run = run::find(&self.api, &token).await?;
                request.extensions_mut().insert(run);
                Trust::Run
            }
        };
        if trust != Trust::Anyone {
            member.know();
            if !guard::is_reading(request) {
                self.api.pace.write();
            }
        }
        request.extensions_mut().insert(trust);
        request.extensions_mut().insert(Arc::clone(&self.api.bounds));
        Ok(())
    }
}

/// A place of the first of these that has one.
fn place(places: &[&Arc<Semaphore>], which: &str, instead: &str) -> Result<OwnedSemaphorePermit, Failure> {
    let free = places.iter().find_map(|places| Arc::clone(places).try_acquire_owned().ok());
    free.ok_or_else(|| {
        Failure::Busy(format!("too many requests {which} are under way; {instead}try again in a second"))
    })
}

fn check_head(request: &Request, limit: usize) -> Result<(), Failure> {
    if head_bytes(request) <= limit {
        return Ok(());
    }
    let message = format!("the head of the request is larger than {limit} bytes");
    Err(Failure::Refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message))
}

/// Bytes of the request's line and headers, as they were sent but for spaces.
fn head_bytes(request: &Request) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len();
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
}

/// An answer, which is dropped when the last of it goes to the socket.
#[derive(Debug)]
struct Kept {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
