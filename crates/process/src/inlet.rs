//! One of a program's output streams on its way to the sink.

use std::future;
use std::io;

use tokio::net::unix::pipe::Receiver;

use crate::program::{OnOverflow, StreamLimit};

/// As much as a pipe holds, so that one read takes all that is there.
const CHUNK: usize = 64 * 1024;

/// A stream that is read until it ends or is given up.
pub(crate) struct Inlet {
    pipe: Option<Receiver>,
    limit: StreamLimit,
    /// How many bytes may still be passed on, when the limit is one that ends the program.
    left: usize,
}

/// What one read brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nothing out of the ordinary.
    Fine,
    /// More than the program may write.
    TooMuch,
}

impl Inlet {
    pub(crate) fn new(pipe: Receiver, limit: StreamLimit) -> Self {
        Self { pipe: Some(pipe), limit, left: limit.bytes }
    }

    /// Gives up what may still come.
    pub(crate) fn close(&mut self) {
        self.pipe = None;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.pipe.is_none()
    }

    /// Waits until there is something to read, for ever when it is closed. May be dropped while it waits.
    pub(crate) async fn ready(&self) -> io::Result<()> {
        match &self.pipe {
            Some(pipe) => pipe.readable().await,
            None => future::pending().await,
        }
    }

    /// Reads once and passes on what the limit allows. What comes after it is read and forgotten: a full pipe would
    /// keep the program from ending politely.
    pub(crate) fn take(&mut self, buffer: &mut Vec<u8>, pass_on: impl FnOnce(&[u8])) -> io::Result<Taken> {
        let Some(pipe) = &self.pipe else { return Ok(Taken::Fine) };
        buffer.clear();
        buffer.reserve_exact(CHUNK);
        match pipe.try_read_buf(buffer) {
            Ok(0) => self.pipe = None,
            Ok(_) => return Ok(self.measure(buffer, pass_on)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(Taken::Fine)
    }

    fn measure(&mut self, chunk: &[u8], pass_on: impl FnOnce(&[u8])) -> Taken {
        if self.limit.on_overflow == OnOverflow::Truncate {
            pass_on(chunk);
            return Taken::Fine;
        }
        let allowed = &chunk[..chunk.len().min(self.left)];
        self.left -= allowed.len();
        if !allowed.is_empty() {
            pass_on(allowed);
        }
        if allowed.len() < chunk.len() { Taken::TooMuch } else { Taken::Fine }
    }
}
