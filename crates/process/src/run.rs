//! One program from its start to the end of everything that it started.
//!
//! The program's end is not the end of its output: a process that it left behind may hold the pipes. And the end of
//! its output is not the end of its processes. So the run is over when the launcher has seen the last process end and
//! both streams are closed, and three clocks see to it that this happens: the time limit, the drain after the
//! program's own end, and a watchdog for a launcher that was stopped or otherwise does not do its work.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::child::kill_now;
use crate::error::LaunchError;
use crate::feed::Feed;
use crate::inlet::Taken;
use crate::launch::{Launched, launch};
use crate::order;
use crate::outcome::{Finished, Outcome, Stream, Usage};
use crate::output::Output;
use crate::program::{FOREVER, Limits, Program};
use crate::protocol::{End, Report};

/// Beyond the grace: far longer than a launcher takes before it gives up on what cannot be killed, even on a machine
/// that hardly moves, because killing the launcher is to lose sight of its tree.
const WATCHDOG: Duration = Duration::from_mins(1);

/// Runs a program within its limits, passing on what it writes. `stop` ends it early when it becomes ready.
///
/// When this returns, the program and everything that it started is gone. Dropping the future kills all of it too,
/// but does not wait for that.
pub async fn run(
    program: Program,
    output: &mut (impl Output + Send),
    stop: impl Future<Output = ()> + Send,
) -> Result<Finished, LaunchError> {
    let started = Instant::now();
    let path = PathBuf::from(program.argv.first().cloned().unwrap_or_default());
    let (directory, limits) = (program.cwd.clone(), program.limits.clone());
    let mut session = Session::new(launch(program).await?, limits);
    session.follow(output, stop).await.map_err(|source| LaunchError::Step {
        program: path.clone(),
        step: "following the program",
        source,
    })?;
    match session.report {
        Some(Report::Failed { step, errno }) => Err(order::failed(path, &directory, step, errno)),
        _ => session.finished(started.elapsed()).ok_or(LaunchError::LauncherLost { program: path }),
    }
}

/// How far the run has come. Each phase has its time, after which something is done about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The program runs, within its time limit.
    Running,
    /// It has ended, and what it left behind may go on writing, within the drain.
    Lingering,
    /// All is about to end, and if the launcher does not manage that in time it is killed itself.
    Ending,
    /// All has ended. A stream that is open yet is held by a process outside of the tree, and is given up.
    Over,
}

struct Session {
    launched: Launched,
    limits: Limits,
    phase: Phase,
    /// When the time of a phase that was just entered will be over.
    until: Option<Instant>,
    /// Why this side ended the program, if it did.
    verdict: Option<Outcome>,
    /// The launcher's last word.
    report: Option<Report>,
    buffer: Vec<u8>,
}

impl Session {
    fn new(launched: Launched, limits: Limits) -> Self {
        let (phase, until) = (Phase::Running, None);
        Self { launched, limits, phase, until, verdict: None, report: None, buffer: Vec::new() }
    }

    async fn follow(
        &mut self,
        output: &mut (impl Output + Send),
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let mut stop = pin!(stop);
        let mut stopped = false;
        let mut clock = pin!(sleep(self.limits.time.min(FOREVER)));
        while !self.is_finished() {
            if let Some(until) = self.until.take() {
                clock.as_mut().reset(until);
            }
            let Launched { status, stdin, stdout, stderr, .. } = &mut self.launched;
            tokio::select! {
                ready = stdout.ready() => ready.and_then(|()| self.take(Stream::Stdout, output))?,
                ready = stderr.ready() => ready.and_then(|()| self.take(Stream::Stderr, output))?,
                ready = Feed::ready(stdin.as_ref()) => ready.and_then(|()| self.feed())?,
                report = status.next(), if self.phase != Phase::Over => self.hear(report?).await?,
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.stop()?;
                }
                () = &mut clock => self.lose_patience()?,
            }
        }
        Ok(())
    }

    fn streams_are_closed(&self) -> bool {
        self.launched.stdout.is_closed() && self.launched.stderr.is_closed()
    }

    fn is_finished(&self) -> bool {
        self.phase == Phase::Over && self.streams_are_closed()
    }

    fn take(&mut self, stream: Stream, output: &mut impl Output) -> io::Result<()> {
        let Launched { stdout, stderr, .. } = &mut self.launched;
        let taken = match stream {
            Stream::Stdout => stdout.take(&mut self.buffer, |chunk| output.stdout(chunk)),
            Stream::Stderr => stderr.take(&mut self.buffer, |chunk| output.stderr(chunk)),
        };
        if taken? == Taken::TooMuch && self.verdict.is_none() {
            self.end(Outcome::OutputLimit(stream))?;
        }
        self.kill_the_silent()
    }

    fn feed(&mut self) -> io::Result<()> {
        if let Some(feed) = &mut self.launched.stdin
            && feed.write()?
        {
            self.launched.stdin = None;
        }
        Ok(())
    }

    /// Takes note of what the launcher says; its silence means that it is ending.
    async fn hear(&mut self, report: Option<Report>) -> io::Result<()> {
        self.report = report.or(self.report);
        match report {
            Some(Report::Lingering) if self.phase == Phase::Running => {
                self.enter(Phase::Lingering, self.limits.drain);
            }
            Some(Report::Lingering) => {}
            Some(Report::Ended { .. } | Report::Failed { .. }) => self.enter(Phase::Ending, WATCHDOG),
            None => {
                self.launched.child.ended().await?;
                self.launched.stdin = None;
                self.enter(Phase::Over, self.limits.drain);
            }
        }
        self.kill_the_silent()
    }

    fn stop(&mut self) -> io::Result<()> {
        match self.phase {
            Phase::Running => self.end(Outcome::Stopped),
            Phase::Lingering => self.kill(),
            Phase::Ending | Phase::Over => Ok(()),
        }
    }

    fn lose_patience(&mut self) -> io::Result<()> {
        match self.phase {
            Phase::Running => self.end(Outcome::TimedOut),
            Phase::Lingering => self.kill(),
            Phase::Ending => {
                self.enter(Phase::Ending, WATCHDOG);
                self.launched.child.signal(Signal::KILL)
            }
            Phase::Over => {
                self.launched.stdout.close();
                self.launched.stderr.close();
                Ok(())
            }
        }
    }

    /// Whoever outlives the program without holding its streams has nothing more to say.
    fn kill_the_silent(&mut self) -> io::Result<()> {
        if self.phase == Phase::Lingering && self.streams_are_closed() { self.kill() } else { Ok(()) }
    }

    /// Ends all of it for this reason, politely at first. Too much output may come to light after the end.
    fn end(&mut self, reason: Outcome) -> io::Result<()> {
        self.verdict = Some(reason);
        if self.phase == Phase::Over {
            return Ok(());
        }
        self.enter(Phase::Ending, self.limits.grace.min(FOREVER) + WATCHDOG);
        self.launched.child.signal(Signal::TERM)?;
        // A launcher that the program has stopped would not hear anything.
        self.launched.child.signal(Signal::CONT)
    }

    fn kill(&mut self) -> io::Result<()> {
        self.enter(Phase::Ending, WATCHDOG);
        self.launched.child.signal(kill_now())?;
        self.launched.child.signal(Signal::CONT)
    }

    fn enter(&mut self, phase: Phase, time: Duration) {
        self.phase = phase;
        self.until = Some(Instant::now() + time.min(FOREVER));
    }

    /// `None` when the launcher has vanished without a last word: nobody knows then what is left of the tree.
    fn finished(&self, wall: Duration) -> Option<Finished> {
        let Some(Report::Ended { end, survivors, used }) = self.report else { return None };
        let own = match end {
            End::Exited(code) => Some(Outcome::Exited(code)),
            End::Signalled(signal) => Some(Outcome::Signalled(signal)),
            End::Survived => None,
        };
        let usage = Usage {
            cpu_user: Duration::from_micros(used.user_us),
            cpu_system: Duration::from_micros(used.system_us),
            max_rss_bytes: used.max_rss_bytes,
        };
        Some(Finished { outcome: self.verdict.or(own)?, usage, wall, survivors })
    }
}
