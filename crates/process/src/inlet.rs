//! One of a program's output streams on its way to the sink.

use std::future;
use std::io;

use rustix::buffer::spare_capacity;
use tokio::net::unix::pipe::Receiver;

use crate::program::{OnOverflow, StreamLimit};

/// Enough for what most programs write at once. To ask for more each time would cost a run more than to read twice.
const CHUNK: usize = 4 * 1024;

/// As much as a pipe holds, so that one read takes all that is there.
const PIPE: usize = 64 * 1024;

/// A stream that is read until it ends or is given up.
pub(crate) struct Inlet {
    pipe: Option<Receiver>,
    limit: StreamLimit,
    /// How many bytes may still be passed on, when the limit is one that ends the program.
    left: usize,
}

/// What one read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// What the program may write; nothing when there was nothing to read.
    Fine,
    /// More than the program may write, of which nothing beyond the limit is shown.
    TooMuch,
    /// The end.
    Closed,
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

    /// Reads once into `chunk` and leaves there what the limit allows. What comes after it is read and forgotten: a
    /// full pipe would keep the program from ending politely.
    pub(crate) fn take(&mut self, chunk: &mut Vec<u8>) -> io::Result<Taken> {
        let was_full = chunk.len() == chunk.capacity() && !chunk.is_empty();
        chunk.clear();
        chunk.reserve_exact(if was_full { PIPE } else { CHUNK });
        self.read(chunk, Receiver::try_read_buf)
    }

    /// The same by asking the pipe itself, since the runtime need not have heard yet of what is in it.
    pub(crate) fn take_now(&mut self, chunk: &mut Vec<u8>) -> io::Result<Taken> {
        chunk.clear();
        chunk.reserve_exact(PIPE);
        self.read(chunk, |pipe, chunk| Ok(rustix::io::read(pipe, spare_capacity(chunk))?))
    }

    fn read(
        &mut self,
        chunk: &mut Vec<u8>,
        read: impl FnOnce(&Receiver, &mut Vec<u8>) -> io::Result<usize>,
    ) -> io::Result<Taken> {
        let Some(pipe) = &self.pipe else { return Ok(Taken::Fine) };
        match read(pipe, chunk) {
            Ok(0) => {
                self.pipe = None;
                Ok(Taken::Closed)
            }
            Ok(_) => Ok(self.measure(chunk)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Taken::Fine),
            Err(error) => Err(error),
        }
    }

    fn measure(&mut self, chunk: &mut Vec<u8>) -> Taken {
        if self.limit.on_overflow == OnOverflow::Truncate {
            return Taken::Fine;
        }
        let read = chunk.len();
        chunk.truncate(self.left);
        self.left -= chunk.len();
        if chunk.len() < read { Taken::TooMuch } else { Taken::Fine }
    }
}
