//! Staying until nothing is left.
//!
//! Invariant: the loop ends only when there is no child any more, and a subreaper without a child has no descendant
//! either. The one exception is stated in the report: descendants that SIGKILL did not end within `STUBBORN`, because
//! they have become another user's or hang in the kernel.

use core::ffi::c_int;
use core::time::Duration;

use crate::protocol::{End, KILL_NOW, Report, Resources};
use crate::sys::{self, SIGCHLD, SIGINT, SIGTERM, Waited};
use crate::tree::Tree;

/// How long SIGKILL is repeated before what is left is reported instead.
const STUBBORN: Duration = Duration::from_secs(5);

/// Between two rounds of SIGKILL: who was being born during one round is found by the next. Whoever dies meanwhile
/// does not put the next round off.
const ROUND: Duration = Duration::from_millis(10);

/// Moments are those of `sys::now`.
#[derive(Clone, Copy)]
enum Phase {
    /// The program runs.
    Running,
    /// It has exited and left processes behind, which may still be writing; the service says when it has read enough.
    Lingering,
    /// All were asked to end.
    Ending { kill_at: Duration },
    /// All are being killed.
    Killing { give_up_at: Duration, again_at: Duration },
    /// Some could not be killed.
    GivenUp,
}

/// Waits for `program`, and for everything that it started, all of it in `group`, and reports how it went.
pub(crate) fn supervise(program: c_int, grace: Duration, group: Option<c_int>) -> Report {
    let tree = Tree::new(group);
    let mut supervisor = Supervisor { program, grace, end: None, phase: Phase::Running, tree };
    while supervisor.reap() {
        if matches!(supervisor.phase, Phase::GivenUp) {
            let survivors = supervisor.tree.count();
            return ended(supervisor.end, survivors);
        }
        supervisor.look_after_orphans();
        let signal = sys::wait_signal(&[SIGCHLD, SIGTERM, SIGINT, KILL_NOW], supervisor.phase.patience());
        supervisor.phase = supervisor.next_phase(signal);
    }
    ended(supervisor.end, 0)
}

impl Phase {
    /// How long to wait for the next signal.
    fn patience(self) -> Option<Duration> {
        match self {
            Self::Running | Self::Lingering => None,
            Self::Ending { kill_at: at } | Self::Killing { again_at: at, .. } => {
                Some(at.saturating_sub(sys::now()))
            }
            Self::GivenUp => Some(Duration::ZERO),
        }
    }
}

struct Supervisor {
    program: c_int,
    grace: Duration,
    /// How the program itself has ended.
    end: Option<End>,
    phase: Phase,
    tree: Tree,
}

impl Supervisor {
    /// Reaps every child that has ended; says whether any is left.
    fn reap(&mut self) -> bool {
        loop {
            match sys::reap_any() {
                Waited::NoChildren => return false,
                Waited::NoneYet => return true,
                Waited::Ended { pid, status } if pid == self.program => self.end = Some(decode(status)),
                Waited::Ended { .. } => {}
            }
        }
    }

    /// When the program has ended before what it started. Asked to end, it may have started something just before it
    /// went, which was not asked yet; but while it lives it may need what it starts, to clean up.
    fn look_after_orphans(&mut self) {
        match (self.phase, self.end) {
            (Phase::Running, Some(_)) => {
                crate::report(Report::Lingering);
                self.phase = Phase::Lingering;
            }
            (Phase::Ending { .. }, Some(_)) => self.tree.ask(),
            _ => {}
        }
    }

    /// What to do after a signal, or after none came in time.
    fn next_phase(&mut self, signal: Option<c_int>) -> Phase {
        let now = sys::now();
        match (self.phase, signal) {
            (Phase::Killing { give_up_at, .. }, _) if now >= give_up_at => Phase::GivenUp,
            (Phase::Killing { give_up_at, again_at }, _) if now >= again_at => self.kill(give_up_at),
            (Phase::Running | Phase::Lingering, Some(SIGTERM | SIGINT)) => {
                self.tree.ask();
                Phase::Ending { kill_at: now.saturating_add(self.grace) }
            }
            (Phase::Running | Phase::Lingering | Phase::Ending { .. }, Some(SIGTERM | SIGINT | KILL_NOW)) => {
                self.kill(now + STUBBORN)
            }
            (Phase::Ending { kill_at }, _) if now >= kill_at => self.kill(now + STUBBORN),
            (same, _) => same,
        }
    }

    fn kill(&mut self, give_up_at: Duration) -> Phase {
        self.tree.kill();
        Phase::Killing { give_up_at, again_at: sys::now() + ROUND }
    }
}

/// The low seven bits are the signal that ended it, if one did; else the next byte is the exit code.
fn decode(status: c_int) -> End {
    match status & 0x7f {
        0 => End::Exited((status >> 8) & 0xff),
        signal => End::Signalled(signal),
    }
}

fn ended(end: Option<End>, survivors: u32) -> Report {
    let usage = sys::usage_of_children();
    let microseconds = |time: &sys::Timeval| (time.seconds * 1_000_000 + time.microseconds).cast_unsigned();
    let used = Resources {
        user_us: microseconds(&usage.user),
        system_us: microseconds(&usage.system),
        max_rss_bytes: usage.max_rss_kilobytes.cast_unsigned() * 1024,
    };
    Report::Ended { end: end.unwrap_or(End::Survived), survivors, used }
}
