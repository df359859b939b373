//! Why a turn got no answer. Whoever asked adds the end of what the host wrote on stderr, which it has heard.

use std::fmt;
use std::time::Duration;

use attune_core::output::OutputError;
use attune_core::runtime::execution::Role;
use attune_process::Outcome;

use crate::launch::PrepareError;

/// Why a turn got no answer.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// There is no host program.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The host did not come up.
    #[error("the warm host of runtime {runtime} did not start: {fault}")]
    NotStarted {
        /// The runtime's ref.
        runtime: String,
        /// Why not.
        fault: StartFault,
    },
    /// All hosts were busy, and there was no room for another.
    #[error(
        "no warm host was free within {} s, and there is no room for another: all together may take {budget} bytes ({})",
        .waited.as_secs_f64(), key(*.role)
    )]
    NoHost {
        /// How long it waited.
        waited: Duration,
        /// What all hosts may take.
        budget: u64,
        /// Whose hosts.
        role: Role,
    },
    /// The host ended in the middle of the turn.
    #[error("its warm host {0}")]
    Ended(Gone),
    /// It took too long; the host and everything that it started is gone.
    #[error("it ran longer than its time limit")]
    TimedOut,
    /// It printed too much; the host and everything that it started is gone.
    #[error("it printed more than its limit")]
    TooMuchOutput,
    /// What the host said is no answer, whoever of those that had turns there wrote it; the host is gone.
    #[error("its warm host said what is no answer: {0}")]
    Output(OutputError),
    /// The caller ended it; the host and everything that it started is gone.
    #[error("it was stopped")]
    Stopped,
}

impl TurnError {
    /// Whether somebody killed the host.
    pub fn was_killed(&self) -> bool {
        match self {
            Self::Prepare(error) => error.was_killed(),
            Self::Ended(gone) | Self::NotStarted { fault: StartFault::Ended { ended: gone, .. }, .. } => {
                gone.was_killed()
            }
            Self::NotStarted { .. }
            | Self::NoHost { .. }
            | Self::TimedOut
            | Self::TooMuchOutput
            | Self::Output(_)
            | Self::Stopped => false,
        }
    }
}

/// Why a host did not come up.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// It ended.
    #[error("it {ended}{}", said(.stderr))]
    Ended {
        /// How.
        ended: Gone,
        /// The end of its stderr.
        stderr: String,
    },
    /// It said something else than hello.
    #[error("{error}{}", said(.stderr))]
    Output {
        /// What is wrong with that.
        error: OutputError,
        /// The end of its stderr.
        stderr: String,
    },
    /// It said nothing.
    #[error("it said no hello within {} s{}", .limit.as_secs_f64(), said(.stderr))]
    Silent {
        /// How long it had.
        limit: Duration,
        /// The end of its stderr.
        stderr: String,
    },
}

/// How a host went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// So.
    By(Outcome),
    /// It lived on, but would not say anything more.
    Silenced,
}

impl Gone {
    fn was_killed(self) -> bool {
        matches!(self, Self::By(outcome) if outcome.was_killed())
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(outcome) => outcome.fmt(formatter),
            Self::Silenced => formatter.write_str("closed its stdout"),
        }
    }
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

const fn key(role: Role) -> &'static str {
    match role {
        Role::Action => "worker.host_memory_bytes",
        Role::Sensor => "sensor.host_memory_bytes",
    }
}
