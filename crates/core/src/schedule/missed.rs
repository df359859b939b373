//! What becomes of instants that were not fired when they came: the process was not there, or the clock leapt.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::fields::{Fault, Fields, quote};

/// An instant that is fired within this time is on time, whatever the policy.
pub const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Instants that one timer fires late at most.
const MOST: u32 = 1000;
/// The same when nobody says, and for sensors.
pub const DEFAULT_LIMIT: u32 = 100;
/// Instants of a cron expression that are counted one by one.
pub(super) const COUNTED: u64 = 10_000;

/// What becomes of missed instants of a timer, and of missed ticks of a polled sensor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Forget them.
    #[default]
    Skip,
    /// Fire the newest one.
    Once,
    /// Fire them all, but of many only the newest.
    All,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Once, Self::All];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }

    /// What text says.
    pub fn of_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }

    /// How many of so many missed ticks are made up for.
    pub fn makes_up(self, missed: u64) -> u32 {
        let most = match self {
            Self::Skip => 0,
            Self::Once => 1,
            Self::All => DEFAULT_LIMIT,
        };
        u32::try_from(missed).unwrap_or(most).min(most)
    }
}

/// A policy with its cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// What to do.
    pub policy: Policy,
    /// How many of `All` are fired at most.
    pub limit: u32,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Instants to fire, the oldest first.
    pub fire: Vec<DateTime<Utc>>,
    /// Instants that passed and are not fired.
    pub missed: u64,
    /// The newest instant that passed.
    pub newest: Option<DateTime<Utc>>,
}

/// The instants that came: the newest of them, the oldest first, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) newest: VecDeque<DateTime<Utc>>,
    pub(super) count: u64,
}

impl Missed {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Fault> {
        let text = fields.text("missed")?.unwrap_or("once");
        let policy = Policy::of_text(text)
            .ok_or_else(|| Fault::new("missed", format!("{:?} is none of skip, once, all", quote(text))))?;
        Ok(Self { policy, limit: fields.count("missed_limit", 1, MOST)?.unwrap_or(DEFAULT_LIMIT) })
    }

    /// How many instants may be fired at a time.
    pub(super) fn keep(self) -> u32 {
        if self.policy == Policy::All { self.limit } else { 1 }
    }

    /// Divides what passed into what is fired and what is missed.
    pub(super) fn judge(self, passed: Passed, now: DateTime<Utc>) -> Due {
        let newest = passed.newest.back().copied();
        let is_late = newest.is_some_and(|newest| now - newest > GRACE);
        let fire: Vec<_> =
            if self.policy == Policy::Skip && is_late { Vec::new() } else { passed.newest.into() };
        let missed = passed.count - u64::try_from(fire.len()).unwrap_or(u64::MAX).min(passed.count);
        Due { fire, missed, newest }
    }
}
