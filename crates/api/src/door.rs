//! What every request passes before and after the routes: the limit of its head, whose share it uses, and when its answer
//! counts as sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::body::Watched;
use crate::crowd::{Busy, Member};
use crate::failure::Failure;
use crate::guard;
use crate::limits::Limits;
use crate::routes;
use crate::state::Api;
use crate::trust::Trust;

/// What stands before the routes.
#[derive(Debug)]
pub(crate) struct Door {
    api: Arc<Api>,
    router: Router,
    /// Places of requests that do not name the token.
    anyone: Arc<Semaphore>,
}

impl Door {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        let anyone = api.bounds.connections.saturating_sub(api.bounds.reserved);
        let router = routes::router(Arc::clone(&api));
        Self { api, router, anyone: Arc::new(Semaphore::new(anyone)) }
    }

    pub(crate) fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.api.bounds)
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: hyper::Request<Incoming>, member: &Arc<Member>) -> Response {
        let busy = member.begin();
        let is_read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let request = request.map(|body| Body::new(Watched::new(body, Arc::clone(&is_read))));
        let (mut response, place) = self.pass(request, member).await;
        let headers = response.headers_mut();
        // Logs and payloads are other people's bytes: no browser shall take them for a page, or keep them.
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if !is_read.load(Ordering::Acquire) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|body| Body::new(Kept { body, _kept: (busy, place) }))
    }

    /// Hands a request to the routes, with what they need to know of it. A request that does not name the token needs a place, which
    /// is kept until the answer is sent.
    async fn pass(&self, mut request: Request, member: &Member) -> (Response, Option<OwnedSemaphorePermit>) {
        let limit = self.api.bounds.head_bytes;
        if head_bytes(&request) > limit {
            let message = format!("the head of the request is larger than {limit} bytes");
            let refused = Failure::Refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message);
            return (refused.into_response(), None);
        }
        let mut place = None;
        if guard::check_token(&self.api, request.headers()).is_ok() {
            member.know();
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                self.api.pace.write();
            }
            request.extensions_mut().insert(Trust::Token);
        } else {
            place = Arc::clone(&self.anyone).try_acquire_owned().ok();
            if place.is_none() {
                let message = "too many requests that do not name the API's token are under way";
                return (Failure::Busy(message.to_owned()).into_response(), None);
            }
        }
        request.extensions_mut().insert(Arc::clone(&self.api.bounds));
        let Ok(response) = self.router.clone().oneshot(request).await;
        (response, place)
    }
}

/// Bytes of the request's line and headers, as they were sent but for spaces.
fn head_bytes(request: &Request) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len();
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
}

/// An answer, and what is given back when it was sent.
#[derive(Debug)]
struct Kept {
    body: Body,
    _kept: (Busy, Option<OwnedSemaphorePermit>),
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
