//! One program from its start to the end of everything that it started, one thing that happens at a time.
//!
//! The program's end is not the end of its output: a process that it left behind may hold the pipes. And the end of
//! its output is not the end of its processes. So it is over when the launcher has seen the last process end and
//! both streams are closed, and three clocks see to it that this happens: the time limit, the drain after the
//! program's own end, and a watchdog for a launcher that was stopped or otherwise does not do its work.
//!
//! Nothing is read and no clock runs out but in [`Session::next`]: whoever does not ask stops the program, by
//! pipes that are full. Dropping a session kills.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep_until};

use crate::child::Child;
use crate::error::LaunchError;
use crate::excess::{Excess, Watch};
use crate::feed::Feed;
use crate::group::Group;
use crate::inlet::{Inlet, Taken};
use crate::launch::{Launched, launch};
use crate::order;
use crate::outcome::{Finished, Outcome, Stream, Usage};
use crate::program::{FOREVER, Limits, Program};
use crate::protocol::{End, Report, Resources};
use crate::rung;
use crate::sandbox::Level;

/// Beyond the grace: far longer than a launcher takes before it gives up on what cannot be killed, even on a machine
/// that hardly moves, because killing the launcher is to lose sight of its tree.
const WATCHDOG: Duration = Duration::from_mins(1);

/// How far it has come. Each phase has its time, after which something is done about it.
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

/// What has happened to one of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// There is a chunk of it, for [`Session::chunk`] to show.
    Chunk(Stream),
    /// It has ended.
    Closed(Stream),
}

pub(crate) struct Session {
    launched: Launched,
    /// Input that is yet to be written, for programs that get all of it beforehand.
    feed: Option<Feed>,
    program: PathBuf,
    directory: PathBuf,
    limits: Limits,
    started: Instant,
    phase: Phase,
    /// When the time of the phase will be over.
    until: Instant,
    /// Why this side ended the program, if it did.
    verdict: Option<Outcome>,
    /// The launcher's last word.
    report: Option<Report>,
    /// Whether what a lost launcher left was killed.
    cleared: bool,
    watch: Option<Watch>,
    chunk: Vec<u8>,
    /// All chunks together.
    output_bytes: u64,
}

impl Session {
    /// Starts a program that reads `stdin`, and ends by the strongest way that there is.
    pub(crate) async fn start(
        program: Program,
        stdin: OwnedFd,
        feed: Option<Feed>,
    ) -> Result<Self, LaunchError> {
        program.limits.sandbox.check().await?;
        let group = rung::lease(&program.limits).await;
        Self::start_in(program, stdin, feed, group).await
    }

    /// Starts it in this cgroup.
    pub(crate) async fn start_in(
        program: Program,
        stdin: OwnedFd,
        feed: Option<Feed>,
        group: Option<Group>,
    ) -> Result<Self, LaunchError> {
        let started = Instant::now();
        let launched = launch(&program, stdin, group).await?;
        Ok(Self {
            launched,
            feed,
            program: program.path(),
            directory: program.cwd,
            started,
            phase: Phase::Running,
            until: started + program.limits.time.min(FOREVER),
            watch: Watch::new(&program.limits),
            limits: program.limits,
            verdict: None,
            report: None,
            cleared: false,
            chunk: Vec::new(),
            output_bytes: 0,
        })
    }

    /// The launcher.
    pub(crate) fn child(&self) -> &Arc<Child> {
        &self.launched.child
    }

    /// What was read last.
    pub(crate) fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Waits until something happens to a stream; `None` when all is over. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Heard>> {
        while !self.is_finished() {
            let Launched { status, stdout, stderr, .. } = &mut self.launched;
            let heard = tokio::select! {
                ready = stdout.ready() => ready.and_then(|()| self.take(Stream::Stdout, Inlet::take))?,
                ready = stderr.ready() => ready.and_then(|()| self.take(Stream::Stderr, Inlet::take))?,
                ready = Feed::ready(self.feed.as_ref()) => { ready.and_then(|()| self.write())?; None }
                report = status.next(), if self.phase != Phase::Over => { self.hear(report?).await?; None }
                () = Watch::is_due(self.watch.as_ref()) => { self.look_at_tree()?; None }
                () = sleep_until(self.until) => { self.lose_patience()?; None }
            };
            if heard.is_some() {
                return Ok(heard);
            }
        }
        Ok(None)
    }

    /// Reads what a stream holds now, without waiting.
    pub(crate) fn take_now(&mut self, stream: Stream) -> io::Result<&[u8]> {
        self.take(stream, Inlet::take_now)?;
        Ok(&self.chunk)
    }

    /// Whether nothing can be heard any more.
    pub(crate) fn streams_are_closed(&self) -> bool {
        self.launched.stdout.is_closed() && self.launched.stderr.is_closed()
    }

    fn is_finished(&self) -> bool {
        self.phase == Phase::Over && self.streams_are_closed()
    }

    fn take(
        &mut self,
        stream: Stream,
        read: impl FnOnce(&mut Inlet, &mut Vec<u8>) -> io::Result<Taken>,
    ) -> io::Result<Option<Heard>> {
        let taken = read(self.launched.inlet(stream), &mut self.chunk)?;
        self.output_bytes += self.chunk.len() as u64;
        if taken == Taken::TooMuch && self.verdict.is_none() {
            self.end(Outcome::OutputLimit(stream))?;
        }
        self.kill_the_silent()?;
        Ok(match taken {
            Taken::Closed => Some(Heard::Closed(stream)),
            _ => (!self.chunk.is_empty()).then_some(Heard::Chunk(stream)),
        })
    }

    /// What takes too much is not asked politely: it would go on meanwhile.
    fn look_at_tree(&mut self) -> io::Result<()> {
        let launcher = self.launched.child.pid();
        match self.watch.as_mut().and_then(|watch| watch.look(launcher)) {
            Some(excess) if matches!(self.phase, Phase::Running | Phase::Lingering) => {
                self.verdict = Some(Outcome::Excess(excess));
                self.kill()
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if let Some(feed) = &mut self.feed
            && feed.write()?
        {
            self.feed = None;
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
                if let Outcome::Signalled(_) = self.launched.child.ended().await? {
                    self.cleared = self.launched.child.clear().await?;
                }
                self.feed = None;
                self.enter(Phase::Over, self.limits.drain);
            }
        }
        self.kill_the_silent()
    }

    /// Ends all of it because the caller wants that, politely unless the program has ended already.
    pub(crate) fn stop(&mut self) -> io::Result<()> {
        match self.phase {
            Phase::Running => self.end(Outcome::Stopped),
            Phase::Lingering => self.kill(),
            Phase::Ending | Phase::Over => Ok(()),
        }
    }

    /// Kills all of it because the caller wants that.
    pub(crate) fn stop_now(&mut self) -> io::Result<()> {
        if self.phase == Phase::Running {
            self.verdict = Some(Outcome::Stopped);
        }
        if self.phase == Phase::Over { Ok(()) } else { self.kill() }
    }

    /// Gives the program this much time from now on, if it has not ended yet.
    pub(crate) fn allow(&mut self, time: Duration) {
        if self.phase == Phase::Running {
            self.enter(Phase::Running, time);
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
        self.launched.child.kill_tree()
    }

    fn enter(&mut self, phase: Phase, time: Duration) {
        self.phase = phase;
        self.until = Instant::now() + time.min(FOREVER);
    }

    /// How it went, once it is over, or why it was given up before.
    pub(crate) fn conclude(self, followed: io::Result<()>) -> Result<Finished, LaunchError> {
        let Self { program, directory, verdict, report, started, cleared, limits, output_bytes, .. } = self;
        let all_killed = cleared || limits.sandbox >= Level::Namespace;
        if let Err(source) = followed {
            return Err(LaunchError::Step { program, step: "following the program", source });
        }
        match report {
            Some(Report::Failed { step, errno }) => Err(order::failed(program, &directory, step, errno)),
            Some(Report::Ended { end, survivors, used }) => {
                let own = outcome(end);
                let excess = own.and_then(|own| Excess::of(own, &limits.resources)).map(Outcome::Excess);
                let lost = LaunchError::LauncherLost { program, all_killed };
                let outcome = verdict.or(excess).or(own).ok_or(lost)?;
                Ok(Finished { outcome, usage: usage(used, output_bytes), wall: started.elapsed(), survivors })
            }
            // It has vanished without a last word: nobody knows what is left of the tree.
            Some(Report::Lingering) | None => Err(LaunchError::LauncherLost { program, all_killed }),
        }
    }
}

fn outcome(end: End) -> Option<Outcome> {
    match end {
        End::Exited(code) => Some(Outcome::Exited(code)),
        End::Signalled(signal) => Some(Outcome::Signalled(signal)),
        End::Survived => None,
    }
}

fn usage(used: Resources, output_bytes: u64) -> Usage {
    Usage {
        cpu_user: Duration::from_micros(used.user_us),
        cpu_system: Duration::from_micros(used.system_us),
        max_rss_bytes: used.max_rss_bytes,
        output_bytes,
    }
}
