//! Staying until nothing is left.
//!
//! Invariant: the loop ends only when there is no child any more, and a subreaper without a child has no descendant
//! either. The one exception is stated in the report: descendants that SIGKILL did not end within `STUBBORN`, because
//! they have become another user's or hang in the kernel.

use std::ffi::c_int;
use std::time::{Duration, Instant};

use crate::protocol::{End, KILL_NOW, Report, Resources};
use crate::sys::{self, SIGCHLD, SIGCONT, SIGINT, SIGTERM, Waited};
use crate::tree;

/// How long SIGKILL is repeated before what is left is reported instead.
const STUBBORN: Duration = Duration::from_secs(5);

/// Between two rounds of SIGKILL: who was being born during one round is found by the next. Whoever dies meanwhile
/// does not put the next round off.
const ROUND: Duration = Duration::from_millis(10);

#[derive(Clone, Copy)]
enum Phase {
    /// The program runs.
    Running,
    /// It has exited and left processes behind, which may still be writing; the service says when it has read enough.
    Lingering,
    /// All were asked to end.
    Ending { kill_at: Instant },
    /// All are being killed.
    Killing { give_up_at: Instant, again_at: Instant },
}

/// Waits for `program`, and for everything that it started, and reports how it went.
pub(crate) fn supervise(program: c_int, grace: Duration) -> Report {
    let mut end = None;
    let mut phase = Phase::Running;
    while reap(program, &mut end) {
        if matches!(phase, Phase::Running) && end.is_some() {
            crate::report(Report::Lingering);
            phase = Phase::Lingering;
        }
        let signal = sys::wait_signal(&[SIGCHLD, SIGTERM, SIGINT, KILL_NOW], phase.patience());
        match phase.after(signal, grace) {
            Some(next) => phase = next,
            None => return ended(end, tree::count()),
        }
    }
    ended(end, 0)
}

impl Phase {
    /// How long to wait for the next signal.
    fn patience(self) -> Option<Duration> {
        match self {
            Self::Running | Self::Lingering => None,
            Self::Ending { kill_at: at } | Self::Killing { again_at: at, .. } => {
                Some(at.saturating_duration_since(Instant::now()))
            }
        }
    }

    /// What to do after a signal, or after none came in time; `None` gives up.
    fn after(self, signal: Option<c_int>, grace: Duration) -> Option<Self> {
        let now = Instant::now();
        match (self, signal) {
            (Self::Killing { give_up_at, .. }, _) if now >= give_up_at => None,
            (Self::Killing { again_at, .. }, _) if now < again_at => Some(self),
            (Self::Killing { give_up_at, .. }, _) => Some(Self::kill(give_up_at)),
            (Self::Running | Self::Lingering, Some(SIGTERM | SIGINT)) => {
                // A stopped process would not see SIGTERM before it is continued.
                tree::signal_all(&[SIGTERM, SIGCONT]);
                Some(Self::Ending { kill_at: now + grace })
            }
            (_, Some(SIGTERM | SIGINT | KILL_NOW)) => Some(Self::kill(now + STUBBORN)),
            (Self::Ending { kill_at }, _) if now >= kill_at => Some(Self::kill(now + STUBBORN)),
            (Self::Running | Self::Lingering | Self::Ending { .. }, _) => Some(self),
        }
    }

    fn kill(give_up_at: Instant) -> Self {
        tree::kill_all();
        Self::Killing { give_up_at, again_at: Instant::now() + ROUND }
    }
}

/// Reaps every child that has ended; says whether any is left.
fn reap(program: c_int, end: &mut Option<End>) -> bool {
    loop {
        match sys::reap_any() {
            Waited::NoChildren => return false,
            Waited::NoneYet => return true,
            Waited::Ended { pid, status } if pid == program => *end = Some(decode(status)),
            Waited::Ended { .. } => {}
        }
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
