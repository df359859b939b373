//! The languages that the benchmark's sensors and actions are written in.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    Python,
    Shell,
}

impl Language {
    /// The ref of its runtime.
    pub(super) fn runtime(self) -> &'static str {
        match self {
            Self::Python => "core.python",
            Self::Shell => "core.shell",
        }
    }

    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::Shell => "sh",
        }
    }

    pub(super) fn sensor(self) -> &'static str {
        match self {
            Self::Python => include_str!("code/sensor.py"),
            Self::Shell => include_str!("code/sensor.sh"),
        }
    }

    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Python => include_str!("code/action.py"),
            Self::Shell => include_str!("code/action.sh"),
        }
    }
}
