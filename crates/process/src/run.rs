//! Running a program that is left to itself: it gets its input beforehand, and its output is passed on as it comes.

use std::future::Future;
use std::io;
use std::mem;
use std::pin::pin;

use crate::error::LaunchError;
use crate::feed::Feed;
use crate::order;
use crate::outcome::{Finished, Stream};
use crate::output::Output;
use crate::program::Program;
use crate::session::{Heard, Session};

/// Runs a program within its limits, passing on what it writes. `stop` ends it early when it becomes ready.
///
/// When this returns, the program and everything that it started is gone. Dropping the future kills all of it too,
/// but does not wait for that.
pub async fn run(
    mut program: Program,
    output: &mut (impl Output + Send),
    stop: impl Future<Output = ()> + Send,
) -> Result<Finished, LaunchError> {
    let (stdin, feed) = Feed::start(mem::take(&mut program.stdin))
        .map_err(|error| order::not_spawned(program.path(), error))?;
    let mut session = Session::start(program, stdin, feed).await?;
    let followed = follow(&mut session, output, stop).await;
    session.conclude(followed)
}

async fn follow(
    session: &mut Session,
    output: &mut (impl Output + Send),
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let mut stop = pin!(stop);
    let mut stopped = false;
    loop {
        tokio::select! {
            heard = session.next() => match heard? {
                Some(Heard::Chunk(Stream::Stdout)) => output.stdout(session.chunk()),
                Some(Heard::Chunk(Stream::Stderr)) => output.stderr(session.chunk()),
                Some(Heard::Closed(_)) => {}
                None => return Ok(()),
            },
            () = &mut stop, if !stopped => {
                stopped = true;
                session.stop()?;
            }
        }
    }
}
