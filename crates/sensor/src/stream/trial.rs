//! A stream by hand: run for a while, without a database. What would be committed is collected, and acknowledged as if it were.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use attune_executor::rules::RuleBook;
use attune_runtimes::launch::Interpreter;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::StreamError;
use super::asked::Asked;
use super::commits::Committing;
use super::ear::Ear;
use super::intake::Batch;
use super::listener::Listener;
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

/// Runs a stream for so long.
pub(crate) async fn listen(
    runtime: &SensorRuntime,
    interpreter: &Interpreter,
    job: &Job<'_>,
    time: Duration,
) -> Result<Heard, PollError> {
    job.sensor.check()?;
    let (talk, _directory) = runtime.talk(interpreter, job).await?;
    let (text, collected) = (Mutex::default(), Mutex::<PollOutput>::default());
    let (heard, enough, now) = (Ear::default(), Notify::new(), Instant::now());
    let mut listener = Listener::new(Log::kept(&text, now), Watchdog::new(job.time, now), &heard);
    let (collected_here, enough_here) = (&collected, &enough);
    let commit = move |batch| -> Committing<'_> {
        let mut output = collected_here.lock().unwrap_or_else(PoisonError::into_inner);
        collect(&mut output, batch);
        if output.events.len() >= EVENTS {
            enough_here.notify_one();
        }
        Box::pin(async { Ok(()) })
    };
    let mut asked = Asked::new(watch::channel(Arc::<RuleBook>::default()).1, Arc::new(job.sensor.clone()));
    // Time is over or there is enough: either way it should stop.
    let stop = async { drop(timeout(time, enough.notified()).await) };
    let ended = session::run(talk, &mut listener, &mut asked, stop, &commit).await;
    let open = listener.intake.open();
    drop(listener);
    let mut output = collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    output.log = text.into_inner().unwrap_or_else(PoisonError::into_inner);
    let error = if let Ended::Failed(error) = ended { Some(error) } else { None };
    Ok(Heard { output, error, open })
}

fn collect(output: &mut PollOutput, batch: Batch) {
    output.events.extend(batch.events);
    output.rejected.extend(batch.rejected);
    output.state = batch.state.or(output.state.take());
}
