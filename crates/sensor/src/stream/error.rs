//! Why a stream failed. The words are what the operator sees as the sensor's last error.

use std::time::Duration;

use attune_process::{Excess, Outcome};

use crate::generator::GenerateError;
use crate::runtime::{PollError, recorded, with_reason};

/// Why a stream failed. What it had completed before is committed; everything that it started is gone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// It could not be started, it said itself that it failed, or what it said is no message.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// It ended by itself, with whatever code.
    #[error("it {ended}, but a stream runs until it is told to stop{}", with_reason(.reason))]
    Ended {
        /// How.
        ended: Outcome,
        /// The last lines of its stderr.
        reason: String,
    },
    /// It took more than it may.
    #[error("it was killed: {excess}{}", with_reason(.reason))]
    Excess {
        /// Of what.
        excess: Excess,
        /// The last lines of its stderr.
        reason: String,
    },
    /// Nobody can hear it any more.
    #[error("it closed its stdout and went on running{}", with_reason(.reason))]
    Mute {
        /// The last lines of its stderr.
        reason: String,
    },
    /// Its heartbeats stopped.
    #[error("it was silent for {} s, longer than its time limit allows{}", .limit.as_secs_f64(), with_reason(.reason))]
    Silent {
        /// How long it may be silent.
        limit: Duration,
        /// The last lines of its stderr.
        reason: String,
    },
    /// What it sent was not taken.
    #[error("{}", .0.for_the_record())]
    Commit(GenerateError),
    /// The laboratory wanted to see what follows.
    #[error("it was killed")]
    Cut,
}

impl StreamError {
    /// The failure of its poll-like part, if it is one.
    pub(super) fn as_poll(&self) -> Option<&PollError> {
        match self {
            Self::Poll(error) => Some(error),
            Self::Ended { .. }
            | Self::Excess { .. }
            | Self::Mute { .. }
            | Self::Silent { .. }
            | Self::Commit(_)
            | Self::Cut => None,
        }
    }

    /// Whether somebody killed its program.
    pub(super) fn was_killed(&self) -> bool {
        match self {
            Self::Poll(error) => error.was_killed(),
            Self::Ended { ended, .. } => ended.was_killed(),
            Self::Excess { .. } | Self::Mute { .. } | Self::Silent { .. } | Self::Commit(_) | Self::Cut => {
                false
            }
        }
    }

    /// The text for a column.
    pub(crate) fn for_the_record(&self) -> String {
        match self {
            Self::Poll(error) => error.for_the_record(),
            Self::Commit(error) => error.for_the_record(),
            other => recorded(&other.to_string()),
        }
    }
}
