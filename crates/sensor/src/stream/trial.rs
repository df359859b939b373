//! A stream by hand: run without a database. Who runs it says what becomes of its commits; [`listen`] collects what would be
//! committed, and acknowledges it as if it were.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use attune_runtimes::launch::Interpreter;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::StreamError;
use super::asked::Asked;
use super::commits::{Commit, Committing};
use super::ear::Ear;
use super::intake::Batch;
use super::listener::{Cut, Listener};
use super::log::Log;
use super::session::{self, Ended};
use super::watchdog::Watchdog;
use crate::runtime::{Job, PollError, PollOutput, SensorRuntime};

/// More events than this nobody reads.
const EVENTS: usize = 10_000;

/// What a stream did.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// What would have been committed, and the log.
    pub(crate) output: PollOutput,
    /// Why it failed.
    pub(crate) error: Option<StreamError>,
    /// Events that no checkpoint followed.
    pub(crate) open: usize,
}

/// One run of a stream, and what becomes of what it says.
pub(crate) struct Trial<'a> {
    pub(crate) runtime: &'a SensorRuntime,
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) job: &'a Job<'a>,
    pub(crate) commit: Commit<'a>,
    pub(crate) cut: Option<Cut<'a>>,
}

/// How a run came to its end.
pub(crate) struct Tried {
    pub(crate) ended: Ended,
    open: usize,
    log: String,
}

impl Trial<'_> {
    /// Runs it to its end, which comes soon after `stop` is ready. `started` is told its launcher.
    pub(crate) async fn run(
        self,
        started: impl FnOnce(u32),
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Tried, PollError> {
        let Self { runtime, interpreter, job, commit, cut } = self;
        job.check()?;
        let (talk, _directory) = runtime.talk(interpreter, job).await?;
        started(talk.launcher_pid());
        let (text, heard, now) = (Mutex::default(), Ear::default(), Instant::now());
        let listener = Listener::new(Log::kept(&text, now), Watchdog::new(job.time, now), &heard);
        let mut listener = listener.cut_by(cut);
        let mut asked = Asked::of_nobody(job.sensor);
        let ended = session::run(talk, &mut listener, &mut asked, stop, commit).await;
        let open = listener.intake.open();
        drop(listener);
        Ok(Tried { ended, open, log: text.into_inner().unwrap_or_else(PoisonError::into_inner) })
    }
}

/// Runs a stream for so long.
pub(crate) async fn listen(
    runtime: &SensorRuntime,
    interpreter: &Interpreter,
    job: &Job<'_>,
    time: Duration,
) -> Result<Heard, PollError> {
    let (collected, enough) = (Mutex::<PollOutput>::default(), Notify::new());
    let (collected_here, enough_here) = (&collected, &enough);
    let commit = move |batch| -> Committing<'_> {
        let mut output = collected_here.lock().unwrap_or_else(PoisonError::into_inner);
        collect(&mut output, batch);
        if output.events.len() >= EVENTS {
            enough_here.notify_one();
        }
        Box::pin(async { Ok(()) })
    };
    // Time is over or there is enough: either way it should stop.
    let stop = async { drop(timeout(time, enough.notified()).await) };
    let trial = Trial { runtime, interpreter, job, commit: &commit, cut: None };
    let Tried { ended, open, log } = trial.run(|_| (), stop).await?;
    let mut output = collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    output.log = log;
    let error = if let Ended::Failed(error) = ended { Some(error) } else { None };
    Ok(Heard { output, error, open })
}

fn collect(output: &mut PollOutput, batch: Batch) {
    output.events.extend(batch.events);
    output.rejected.extend(batch.rejected);
    output.state = batch.state.or(output.state.take());
}
