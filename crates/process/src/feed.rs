//! A program's standard input.
//!
//! Most input fits into the pipe and is there before the program starts; the rest follows while it runs. The service
//! keeps a reading end open beside the program's: so a program that closes its input early makes the pipe merely
//! full, never broken, and this process gets neither an error nor SIGPIPE, whatever it does about that signal.

use std::fs::File;
use std::future;
use std::io;
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe::Sender;

use crate::pipes;

/// Input that did not fit into the pipe.
pub(crate) struct Feed {
    pipe: Sender,
    _reader: OwnedFd,
    input: Vec<u8>,
    written: usize,
}

impl Feed {
    /// The descriptor for the program, and what remains to be written while it runs. Without input there is no pipe.
    pub(crate) fn start(input: Vec<u8>) -> io::Result<(OwnedFd, Option<Self>)> {
        if input.is_empty() {
            return Ok((File::open("/dev/null")?.into(), None));
        }
        let (reader, writer) = pipes::from_here()?;
        let written = rustix::io::write(&writer, &input)?;
        if written == input.len() {
            return Ok((reader, None));
        }
        let kept = reader.try_clone()?;
        Ok((
            reader,
            Some(Self { pipe: Sender::from_owned_fd_unchecked(writer)?, _reader: kept, input, written }),
        ))
    }

    /// Waits until more can be written, for ever when nothing is left. May be dropped while it waits.
    pub(crate) async fn ready(feed: Option<&Self>) -> io::Result<()> {
        match feed {
            Some(feed) => feed.pipe.writable().await,
            None => future::pending().await,
        }
    }

    /// Writes what fits; says whether all is written now.
    pub(crate) fn write(&mut self) -> io::Result<bool> {
        match self.pipe.try_write(&self.input[self.written..]) {
            Ok(count) => self.written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(self.written == self.input.len())
    }
}
