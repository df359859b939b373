//! How a program ended, and what it cost.

use std::fmt;
use std::time::Duration;

use rustix::process::Signal;

use crate::excess::Excess;

/// A run that is over: the program and everything that it started is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// What the program and its descendants have used.
    pub usage: Usage,
    /// From the order to the end of the last descendant.
    pub wall: Duration,
    /// Descendants that even SIGKILL did not end, because they had become another user's or hang in the kernel.
    /// Almost always 0.
    pub survivors: u32,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which this crate did not send.
    Signalled(i32),
    /// It was ended because it ran longer than its time limit.
    TimedOut,
    /// It was ended because it wrote more than its limit to this stream.
    OutputLimit(Stream),
    /// It, or one of its processes, was ended because it took more than it may.
    Excess(Excess),
    /// It was ended because the caller asked for that.
    Stopped,
}

impl Outcome {
    /// Whether the program ended by itself with code 0.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// Whether SIGKILL from outside ended it: an operator's, or that of a kernel without memory. A shell whose program was
    /// ended so passes it on as a code.
    pub fn was_killed(self) -> bool {
        const KILL: i32 = Signal::KILL.as_raw();
        const KILL_IN_A_SHELL: i32 = 128 + KILL;
        matches!(self, Self::Signalled(KILL) | Self::Exited(KILL_IN_A_SHELL))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "exited with code {code}"),
            Self::Signalled(signal) => write!(formatter, "was ended by signal {signal}"),
            Self::TimedOut => formatter.write_str("ran longer than its time limit"),
            Self::OutputLimit(stream) => write!(formatter, "wrote more than its limit to {stream}"),
            Self::Excess(excess) => write!(formatter, "was killed: {excess}"),
            Self::Stopped => formatter.write_str("was stopped"),
        }
    }
}

/// One of a program's output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl fmt::Display for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

/// What a program and all of its descendants have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub cpu_user: Duration,
    /// Processor time in the kernel.
    pub cpu_system: Duration,
    /// The largest resident set of any one of the processes.
    pub max_rss_bytes: u64,
    /// What was read of both output streams, as far as their limits let it be passed on.
    pub output_bytes: u64,
}

impl Usage {
    /// Processor time, whatever it was spent in.
    pub fn cpu(&self) -> Duration {
        self.cpu_user + self.cpu_system
    }
}
