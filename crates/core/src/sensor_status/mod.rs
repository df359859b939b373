//! How a sensor fares, so that a dead one never looks like a quiet one.
//!
//! ```text
//! starting -> running <-> quiet        paused         the operator's wish, or too many failures
//!                |  ^       |          unschedulable  nobody can run it
//!                v  |       v          stopped        disabled
//!          failing, stuck, silent
//! ```
//!
//! Whoever runs a sensor says what it sees: claimed, ticked, failed. What it can not see, because it is about what does
//! not happen, is said by the watch, which any process may keep: it reads three clocks (the last tick, the last contact with
//! the source, the last event), and [`judge()`] says whether they stand as they should. Both go by one table, [`next`]; the
//! statements that write the status name the old ones, and a test of attune-common holds them against this table.
//!
//! | status | |
//! |---|---|
//! | `running` | it ticks, and had an event lately |
//! | `quiet` | it ticks as it should and nothing that was expected is missing, but there was no event for long |
//! | `silent` | it ticks, but what its author expects of it is missing |
//! | `stuck` | somebody runs it, and it does not tick although it is due |
//! | `failing` | its last tick failed; it is tried again |

mod canary;
mod expect;
mod judge;
mod span;
mod table;

use serde::{Deserialize, Serialize};

pub use canary::{Execution, REF as CANARY, Trail};
pub use expect::{Expect, KEYS as EXPECT_KEYS};
pub use judge::{Canary, Clocks, Service, Verdict, Watched, judge};
pub use span::{in_words, span};
pub use table::{Event, InvalidTransition, State, next};

/// The status column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has not ticked yet; the reason says for what it waits.
    Starting,
    /// It ticks, and had an event lately.
    Running,
    /// It ticks as it should, but had no event for long.
    Quiet,
    /// It ticks, but an expectation is broken.
    Silent,
    /// It does not tick although it is due.
    Stuck,
    /// Its last tick failed.
    Failing,
    /// It is not polled, by somebody's wish or after too many failures.
    Paused,
    /// Nobody can run it.
    Unschedulable,
    /// It is disabled.
    Stopped,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Starting,
        Self::Running,
        Self::Quiet,
        Self::Silent,
        Self::Stuck,
        Self::Failing,
        Self::Paused,
        Self::Unschedulable,
        Self::Stopped,
    ];

    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Quiet => "quiet",
            Self::Silent => "silent",
            Self::Stuck => "stuck",
            Self::Failing => "failing",
            Self::Paused => "paused",
            Self::Unschedulable => "unschedulable",
            Self::Stopped => "stopped",
        }
    }

    /// What a column says.
    pub fn of_column(column: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_as_the_column_does() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(Status::of_column(status.as_str()), Some(status));
        }
        assert_eq!(Status::of_column("dead"), None);
    }
}
