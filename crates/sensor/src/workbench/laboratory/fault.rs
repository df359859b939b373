//! The faults, and what each of them is about.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What is done to a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the ordinary run that all others are compared with.
    None,
    /// It is told to stop, and starts again.
    Restart,
    /// SIGKILL between an event and its checkpoint; of a poll, in the middle of its output.
    Kill,
    /// The worker dies after the output and before its commit.
    LostCommit,
    /// The worker dies after the commit and before the sensor hears of it.
    LostAck,
    /// Commits take long, and nothing is read meanwhile.
    SlowDatabase,
    /// The source says again what it said before.
    DuplicatePage,
    /// The source holds half an item for a while.
    TornLine,
    /// An item of some hundred kilobytes.
    GiantLine,
    /// An item with a NUL.
    Nul,
    /// The clock jumps ahead by a day, then back by two.
    ClockJump,
    /// SIGSTOP until somebody notices.
    Hang,
}

impl Fault {
    /// All of them; the first two are tried first, since the others end in a start as well.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::Restart,
        Self::Kill,
        Self::LostCommit,
        Self::LostAck,
        Self::SlowDatabase,
        Self::DuplicatePage,
        Self::TornLine,
        Self::GiantLine,
        Self::Nul,
        Self::ClockJump,
        Self::Hang,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Restart => "restart",
            Self::Kill => "kill",
            Self::LostCommit => "lost-commit",
            Self::LostAck => "lost-ack",
            Self::SlowDatabase => "slow-database",
            Self::DuplicatePage => "duplicate-page",
            Self::TornLine => "torn-line",
            Self::GiantLine => "giant-line",
            Self::Nul => "nul",
            Self::ClockJump => "clock-jump",
            Self::Hang => "hang",
        }
    }

    /// Whether it comes first, in this order, whatever the seed says.
    pub(super) fn is_groundwork(self) -> bool {
        matches!(self, Self::None | Self::Restart)
    }

    /// Whether it is done to the source, and so needs one.
    pub(super) fn is_of_source(self) -> bool {
        matches!(self, Self::DuplicatePage | Self::TornLine | Self::GiantLine | Self::Nul)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|fault| fault.name() == text);
        found.ok_or_else(|| format!("there is no fault {text:?}; there are {}", names()))
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
