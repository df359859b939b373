//! One run of a stream's program: what it says is taken and committed, what it has to know is said, until it ends, fails or
//! is stopped. Afterwards it and everything that it started is gone, and no commit of it is under way.
//!
//! Reading, committing and writing go on side by side, and none waits for another. Only reading is held back, when too
//! much is uncommitted: then the program waits at its own pipe, for as long as the database is slow or away.

use std::future::pending;
use std::pin::{Pin, pin};
use std::time::Duration;

use attune_process::{End, Finished, LaunchError, Outcome, Said, Stream, Talk, TalkIn, TalkOut};
use attune_runtimes::launch::PrepareError;
use tokio::time::{Instant, sleep_until, timeout};

use super::StreamError;
use super::asked::Asked;
use super::commits::{Commit, Commits, NotCommitted};
use super::listener::Listener;
use super::outbox::Outbox;
use crate::runtime::PollError;

/// How long a program that was told to stop has before SIGTERM. With the grace after that it is less than what remains of a
/// lease when its holder has to stop.
const STOP: Duration = Duration::from_secs(1);
/// How long a stopped stream's last commit may take before it is given up; whether it is in is open then.
const DOUBT: Duration = Duration::from_secs(30);
/// How long a program has to end that has said its last word.
const LAST: Duration = Duration::from_secs(1);

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It failed.
    Failed(StreamError),
    /// It was asked to stop.
    Stopped,
    /// The sensor is no longer this worker's.
    Lost,
    /// Nobody knows whether the last commit is in.
    InDoubt,
}

/// Why the conversation is over.
enum Verdict {
    /// It says nothing more.
    Silence,
    Failed(StreamError),
    Stopped,
    NotCommitted(NotCommitted),
}

/// Runs a stream that was just started to its end, which comes soon after `stop` is ready.
pub(crate) async fn run(
    talk: Talk,
    listener: &mut Listener<'_>,
    asked: &mut Asked,
    stop: impl Future<Output = ()> + Send,
    commit: Commit<'_>,
) -> Ended {
    let (input, mut output) = talk.split();
    let (outbox, mut commits, stop) = (Outbox::default(), Commits::new(commit), pin!(stop));
    let whole = async {
        let verdict = converse(&mut output, listener, &mut commits, &outbox, asked, stop).await;
        outbox.close();
        let ending = output.end(verdict.ending());
        let settling = settle(&verdict, &mut commits, listener, &outbox);
        let (finished, settled) = tokio::join!(ending, settling);
        listener.used = finished.as_ref().ok().map(|finished| finished.usage);
        verdict.conclude(finished, settled, listener)
    };
    tokio::select! {
        ended = whole => ended,
        () = deliver(input, &outbox) => unreachable!("it goes on for as long as it is asked"),
    }
}

/// Commits what was complete, unless something before it was not committed.
async fn settle(
    verdict: &Verdict,
    commits: &mut Commits<'_>,
    listener: &mut Listener<'_>,
    outbox: &Outbox,
) -> Result<(), NotCommitted> {
    let settled = commits.settle(&mut listener.intake, outbox);
    match verdict {
        Verdict::NotCommitted(_) => Ok(()),
        Verdict::Stopped => timeout(DOUBT, settled).await.unwrap_or(Err(NotCommitted::InDoubt)),
        Verdict::Silence | Verdict::Failed(_) => settled.await,
    }
}

/// Says what waits in the outbox.
async fn deliver(mut input: TalkIn, outbox: &Outbox) {
    while let Some(line) = outbox.next().await {
        if input.send(&line).await.is_err() {
            // It does not listen any more, as it may.
            break;
        }
    }
    input.close();
    pending::<()>().await;
}

async fn converse(
    output: &mut TalkOut,
    listener: &mut Listener<'_>,
    commits: &mut Commits<'_>,
    outbox: &Outbox,
    asked: &mut Asked,
    mut stop: Pin<&mut (impl Future<Output = ()> + Send)>,
) -> Verdict {
    // When a program that was told to stop is stopped.
    let mut last: Option<Instant> = None;
    loop {
        commits.begin(&mut listener.intake);
        let is_full = listener.intake.is_full();
        listener.watchdog.hold(is_full || commits.is_under_way(), Instant::now());
        let silence = listener.watchdog.deadline();
        let said = tokio::select! {
            said = output.next(), if !is_full => said,
            committed = commits.ended(outbox) => match committed {
                Ok(()) => continue,
                Err(error) => return Verdict::NotCommitted(error),
            },
            params = asked.changed() => {
                outbox.params(params);
                continue;
            }
            () = &mut stop, if last.is_none() => {
                outbox.stop();
                last = Some(Instant::now() + STOP);
                continue;
            }
            () = until(last) => return Verdict::Stopped,
            () = until(silence) => return Verdict::Failed(listener.silent()),
        };
        match hear(listener, said) {
            Ok(true) => {}
            _ if last.is_some() => return Verdict::Stopped,
            Ok(false) => return Verdict::Silence,
            Err(error) => return Verdict::Failed(error),
        }
    }
}

/// Takes what was said. `false`: it was the last.
fn hear(listener: &mut Listener<'_>, said: Option<Said<'_>>) -> Result<bool, StreamError> {
    match said {
        Some(Said::Stdout(chunk)) => listener.stdout(chunk).map(|()| true),
        Some(Said::Stderr(chunk)) => {
            listener.stderr(chunk);
            Ok(true)
        }
        Some(Said::Closed(Stream::Stderr)) => Ok(true),
        Some(Said::Closed(Stream::Stdout)) => listener.stdout_closed().map(|()| false),
        None => Ok(false),
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

impl Verdict {
    /// How the program has to go.
    fn ending(&self) -> End {
        match self {
            Self::Silence | Self::Failed(StreamError::Poll(PollError::Reported { .. })) => End::Awaited(LAST),
            Self::Failed(StreamError::Cut)
            | Self::NotCommitted(NotCommitted::Lost | NotCommitted::InDoubt) => End::Now,
            Self::Failed(_) | Self::Stopped | Self::NotCommitted(NotCommitted::Refused(_)) => End::Polite,
        }
    }

    /// What the run comes to, as the program is gone and what was complete is committed or not.
    fn conclude(
        self,
        finished: Result<Finished, LaunchError>,
        settled: Result<(), NotCommitted>,
        listener: &Listener<'_>,
    ) -> Ended {
        let verdict = settled.err().map_or(self, Verdict::NotCommitted);
        match (verdict, finished) {
            (Self::NotCommitted(NotCommitted::Lost), _) => Ended::Lost,
            (Self::NotCommitted(NotCommitted::InDoubt), _) => Ended::InDoubt,
            (Self::NotCommitted(NotCommitted::Refused(error)) | Self::Failed(error), _) => {
                Ended::Failed(error)
            }
            (Self::Stopped, _) => Ended::Stopped,
            (Self::Silence, Err(error)) => Ended::Failed(PollError::from(PrepareError::from(error)).into()),
            (Self::Silence, Ok(finished)) => Ended::Failed(listener.ended(finished.outcome)),
        }
    }
}

impl Listener<'_> {
    fn silent(&self) -> StreamError {
        StreamError::Silent { limit: self.watchdog.limit(), reason: self.log.tail() }
    }

    /// It ended without being told to.
    fn ended(&self, outcome: Outcome) -> StreamError {
        let reason = self.log.tail();
        match outcome {
            Outcome::TimedOut | Outcome::Stopped | Outcome::OutputLimit(_) => StreamError::Mute { reason },
            Outcome::Excess(excess) => StreamError::Excess { excess, reason },
            ended @ (Outcome::Exited(_) | Outcome::Signalled(_)) => StreamError::Ended { ended, reason },
        }
    }
}
