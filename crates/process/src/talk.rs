//! A conversation with a program that lives on: it is written to and read from while it runs.
//!
//! The two directions are two halves, so that neither waits for the other: a program may write more than its pipe
//! holds while more is written to it than its other pipe holds, as long as somebody reads. Nothing is kept between the
//! pipes and the reader; who does not read stops the program. The clocks of [`Limits`](crate::Limits) run while
//! somebody waits for what it says, or for its end.
//!
//! However it ends, the program and everything that it started is gone afterwards. Dropping either half kills all of
//! it, but does not wait for that.

use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::net::unix::pipe::Sender;
use tokio::task::JoinHandle;

use crate::child::Child;
use crate::error::LaunchError;
use crate::order;
use crate::outcome::{Finished, Stream};
use crate::pipes;
use crate::program::Program;
use crate::session::{Heard, Session};

/// Starts a program and begins a conversation with it. Its [`stdin`](Program::stdin) is written first, and then stays
/// open. That the program itself could not be started is learnt from [`TalkOut::end`].
pub async fn talk(mut program: Program) -> Result<Talk, LaunchError> {
    let mut greeting = mem::take(&mut program.stdin);
    let (stdin, pipe) = open(&mut greeting).map_err(|error| order::not_spawned(program.path(), error))?;
    let session = Session::start(program, stdin, None).await?;
    let input = TalkIn::start(pipe, greeting, Arc::downgrade(session.child()));
    Ok(Talk { input, output: TalkOut { session, followed: Ok(()) } })
}

/// A pipe with as much of the greeting in it as it holds, which is mostly all.
fn open(greeting: &mut Vec<u8>) -> io::Result<(OwnedFd, Sender)> {
    let (reader, writer) = pipes::from_here()?;
    if !greeting.is_empty() {
        let written = rustix::io::write(&writer, greeting)?;
        greeting.drain(..written);
    }
    Ok((reader, Sender::from_owned_fd_unchecked(writer)?))
}

/// A program that is running, and both ways of speaking with it.
pub struct Talk {
    input: TalkIn,
    output: TalkOut,
}

impl Talk {
    /// The process id of its launcher, whose descendants are the program and everything that it started.
    pub fn launcher_pid(&self) -> u32 {
        self.output.session.child().pid()
    }

    /// The two halves.
    pub fn split(self) -> (TalkIn, TalkOut) {
        (self.input, self.output)
    }
}

/// The way to a program.
pub struct TalkIn {
    pipe: Arc<Sender>,
    /// Writes the part of the greeting that did not fit into the pipe.
    greeting: Option<JoinHandle<()>>,
    /// Empty when it is no matter any more that this half goes.
    launcher: Weak<Child>,
}

impl TalkIn {
    fn start(pipe: Sender, greeting: Vec<u8>, launcher: Weak<Child>) -> Self {
        let pipe = Arc::new(pipe);
        let greeting = (!greeting.is_empty()).then(|| {
            let pipe = Arc::clone(&pipe);
            tokio::spawn(async move {
                // A program that does not read is noticed by whoever sends more.
                let _ = write_all(&pipe, &greeting).await;
            })
        });
        Self { pipe, greeting, launcher }
    }

    /// Writes all of it, waiting for the program to make room. An error means that the program is gone, or has closed
    /// its standard input: Rust programs ignore SIGPIPE, so it is never that. A call that is dropped while it waits
    /// may have written a part.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(greeting) = &mut self.greeting {
            let _ = greeting.await;
            self.greeting = None;
        }
        write_all(&self.pipe, bytes).await
    }

    /// Ends the program's standard input, after what was sent.
    pub fn close(mut self) {
        self.launcher = Weak::new();
    }
}

impl Drop for TalkIn {
    fn drop(&mut self) {
        if let Some(launcher) = self.launcher.upgrade() {
            // It can only fail for one that has just ended.
            let _ = launcher.kill_tree();
        }
    }
}

async fn write_all(pipe: &Sender, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        pipe.writable().await?;
        match pipe.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What a program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The next bytes of standard output, wherever a line may end.
    Stdout(&'a [u8]),
    /// The next bytes of standard error.
    Stderr(&'a [u8]),
    /// One of the streams has ended; the program may live on.
    Closed(Stream),
}

/// How a conversation is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGTERM, the grace, SIGKILL.
    Polite,
    /// SIGKILL.
    Now,
    /// By the program itself, within this time; then as [`End::Polite`], with the outcome
    /// [`TimedOut`](crate::Outcome::TimedOut).
    Awaited(Duration),
}

/// The way from a program.
pub struct TalkOut {
    session: Session,
    /// An error that was met while waiting is told at the end.
    followed: io::Result<()>,
}

impl TalkOut {
    /// What the program says next; `None` when both of its streams are closed, or its limits have ended it. May be
    /// dropped while it waits without losing anything.
    pub async fn next(&mut self) -> Option<Said<'_>> {
        if self.session.streams_are_closed() || self.followed.is_err() {
            return None;
        }
        match self.session.next().await {
            Ok(Some(Heard::Chunk(Stream::Stdout))) => Some(Said::Stdout(self.session.chunk())),
            Ok(Some(Heard::Chunk(Stream::Stderr))) => Some(Said::Stderr(self.session.chunk())),
            Ok(Some(Heard::Closed(stream))) => Some(Said::Closed(stream)),
            Ok(None) => None,
            Err(error) => {
                self.followed = Err(error);
                None
            }
        }
    }

    /// What is in standard error now, without waiting: all that the program wrote there before it wrote what was read
    /// last from standard output.
    pub fn drain_stderr(&mut self) -> &[u8] {
        match self.session.take_now(Stream::Stderr) {
            Ok(_) => self.session.chunk(),
            Err(error) => {
                self.followed = Err(error);
                &[]
            }
        }
    }

    /// Ends it, unless it has ended already, and waits until the program and everything that it started is gone. What
    /// it still says is lost: whoever wants to hear it asks [`TalkOut::next`] until there is nothing more.
    pub async fn end(mut self, how: End) -> Result<Finished, LaunchError> {
        let followed = match mem::replace(&mut self.followed, Ok(())) {
            Ok(()) => self.finish(how).await,
            failed => failed,
        };
        self.session.conclude(followed)
    }

    async fn finish(&mut self, how: End) -> io::Result<()> {
        match how {
            End::Polite => self.session.stop()?,
            End::Now => self.session.stop_now()?,
            End::Awaited(time) => self.session.allow(time),
        }
        while self.session.next().await?.is_some() {}
        Ok(())
    }
}
