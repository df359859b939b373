//! The five kinds of things that a pack defines, and where each lives.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a file of a pack defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How code of one language runs.
    Runtime,
    /// A type of event.
    Trigger,
    /// Code that produces events.
    Sensor,
    /// Code that does something.
    Action,
    /// Which event leads to which action.
    Rule,
}

impl Kind {
    /// All kinds, each after those that it refers to.
    pub const ALL: [Self; 5] = [Self::Runtime, Self::Trigger, Self::Sensor, Self::Action, Self::Rule];

    /// The name of its table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Trigger => "trigger",
            Self::Sensor => "sensor",
            Self::Action => "action",
            Self::Rule => "rule",
        }
    }

    /// The directory of a pack that holds one file for each.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Runtime => "runtimes",
            Self::Trigger => "triggers",
            Self::Sensor => "sensors",
            Self::Action => "actions",
            Self::Rule => "rules",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
