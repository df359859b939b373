//! A socket that tells its member when bytes come and when they have gone, and waits for a reader only as long as that makes progress.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::crowd::Member;
use crate::limits::Limits;
use crate::patience::Patience;

/// A socket.
#[derive(Debug)]
pub(crate) struct Timed {
    stream: TcpStream,
    member: Arc<Member>,
    patience: Patience,
    timer: Pin<Box<Sleep>>,
    /// Since when nothing could be written.
    blocked: Option<Instant>,
}

impl Timed {
    pub(crate) fn new(stream: TcpStream, member: Arc<Member>, limits: &Limits) -> Self {
        let (patience, timer) = (Patience::new(limits), Box::pin(sleep_until(Instant::now())));
        Self { stream, member, patience, timer, blocked: None }
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// After a write that got so far.
    fn progress<T>(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match wrote {
            Poll::Ready(Ok(wrote)) => {
                let waited = self.blocked.take().map(|since| since.elapsed()).unwrap_or_default();
                self.patience.spend(waited, bytes(&wrote));
                Poll::Ready(Ok(wrote))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let deadline = *self.blocked.get_or_insert_with(Instant::now) + self.patience.left();
                if self.timer.deadline() != deadline {
                    self.timer.as_mut().reset(deadline);
                }
                self.timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.member.hear();
        }
        read
    }
}

impl AsyncWrite for Timed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(cx, wrote, |wrote| *wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.progress(cx, wrote, |wrote| *wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Everything was written before, else nothing is flushed.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.member.sent();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
