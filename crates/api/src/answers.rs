//! Answers under way, which wait in memory until they are read: a bounded number of bytes in all.
//!
//! An answer pays for its bytes before it has them and gives them back as they are sent. When nothing is left, an answer that
//! can end early does so, and any other waits for a bounded time. A reader that takes its answer slowly thus delays
//! other readers of its share, and the memory of the process stays bounded.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;
use crate::limits::Limits;
use crate::trust::{Shares, Trust};

/// What is paid for, and sent, at once.
const CHUNK: usize = 64 * 1024;

/// The memory that answers may take.
#[derive(Debug)]
pub(crate) struct Answers {
    shares: Shares<Arc<Semaphore>>,
    most: usize,
    wait: Duration,
}

/// An answer in the making.
#[derive(Debug)]
pub(crate) struct Answer {
    budget: Arc<Semaphore>,
    most: usize,
    wait: Duration,
    paid: Option<OwnedSemaphorePermit>,
    chunks: VecDeque<Bytes>,
    last: Vec<u8>,
    length: usize,
}

/// An answer on its way.
#[derive(Debug)]
struct Sent {
    paid: Option<OwnedSemaphorePermit>,
    chunks: VecDeque<Bytes>,
    left: usize,
}

impl Answers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let budget = || Arc::new(Semaphore::new(limits.answer_bytes));
        let anyone = budget();
        // A run reads nothing that is large.
        let shares = Shares { run: Arc::clone(&anyone), anyone, token: budget() };
        Self { shares, most: limits.answer_bytes, wait: limits.wait }
    }

    /// Begins an answer.
    pub(crate) fn begin(&self, trust: Trust) -> Answer {
        Answer {
            budget: Arc::clone(self.shares.of(trust)),
            most: self.most,
            wait: self.wait,
            paid: None,
            chunks: VecDeque::new(),
            last: Vec::new(),
            length: 0,
        }
    }

    /// An answer that is there already, which waits until it may be kept.
    pub(crate) async fn whole(&self, trust: Trust, bytes: &[u8]) -> Result<Answer, Failure> {
        let mut answer = self.begin(trust);
        answer.pay(bytes.len()).await?;
        answer.append(bytes);
        Ok(answer)
    }
}

impl Answer {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Adds bytes, for which it waits if there are none yet. `false`: nothing is left, and nothing was added.
    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let needed = self.length + bytes.len();
        let paid = self.paid.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if needed > paid {
            let more = (needed - paid).max(CHUNK);
            if self.length == 0 {
                self.pay(more).await?;
            } else if !self.try_pay(more) {
                return Ok(false);
            }
        }
        self.append(bytes);
        Ok(true)
    }

    /// Adds the last few bytes, which are free.
    pub(crate) fn end(&mut self, bytes: &[u8]) {
        self.append(bytes);
    }

    /// In pieces with memory of their own, which is free as soon as they are sent.
    fn append(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        for piece in bytes.chunks(CHUNK) {
            self.last.extend_from_slice(piece);
            if self.last.len() >= CHUNK {
                self.seal();
            }
        }
    }

    /// More than there ever is costs all that there is.
    async fn pay(&mut self, bytes: usize) -> Result<(), Failure> {
        let share = u32::try_from(bytes.min(self.most)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget).acquire_many_owned(share);
        let permit = tokio::time::timeout(self.wait, permit).await.map_err(|_| full())?;
        self.keep(permit.map_err(|closed| Failure::Bug(closed.into()))?);
        Ok(())
    }

    fn try_pay(&mut self, bytes: usize) -> bool {
        let share = u32::try_from(bytes).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget).try_acquire_many_owned(share);
        permit.map(|permit| self.keep(permit)).is_ok()
    }

    fn keep(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.paid {
            Some(paid) => paid.merge(permit),
            none => *none = Some(permit),
        }
    }

    fn seal(&mut self) {
        self.chunks.push_back(std::mem::take(&mut self.last).into());
    }

    /// Sends it, with its length.
    pub(crate) fn send(self, content_type: &'static str) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        (kind, self.into_body()).into_response()
    }

    pub(crate) fn into_body(mut self) -> Body {
        self.seal();
        let mut sent = Sent { paid: self.paid, chunks: self.chunks, left: self.length };
        sent.settle();
        Body::new(sent)
    }
}

impl Sent {
    /// Gives back what was paid for bytes that are not here any more.
    fn settle(&mut self) {
        let paid = self.paid.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let surplus = paid.saturating_sub(self.left);
        drop(self.paid.as_mut().and_then(|paid| paid.split(surplus)));
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Infallible;

    /// The chunk before was taken over by the socket, or is the one thing that its connection still holds.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.settle();
        let next = self.chunks.pop_front();
        self.left -= next.as_ref().map_or(0, Bytes::len);
        Poll::Ready(next.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

fn full() -> Failure {
    Failure::Busy(
        "other answers are still being read and take all the memory there is for them; name the token, or try again in a second"
            .to_owned(),
    )
}
