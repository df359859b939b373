//! Why a pack has no environment. The words are what the author reads as the last error of his sensor.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use attune_process::{LaunchError, Outcome};

use super::order::Owner;

/// A pack has no environment for now.
#[derive(Clone, Debug, thiserror::Error)]
#[error("can not build {owner}: {fault}{}", NextTry(self.retry_in()))]
pub struct EnvironmentError {
    /// For whom it is.
    pub owner: Owner,
    /// What went wrong.
    pub fault: Arc<BuildFault>,
    retry_at: Instant,
}

/// What goes wrong with a build.
#[derive(Debug, thiserror::Error)]
pub enum BuildFault {
    /// The system refused.
    #[error("{attempt} {path} failed: {source}")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Somebody else builds it and does not come to an end.
    #[error("another process has been building it for more than {} s", .waited.as_secs())]
    Locked {
        /// How long it was waited for.
        waited: Duration,
    },
    /// This machine has none of the programs.
    #[error("this machine has nothing to build it with; it takes {wanted}")]
    NoWay {
        /// The ways that there are.
        wanted: String,
    },
    /// A program of the way that was taken is missing.
    #[error("`{program}` is not on PATH")]
    NoProgram {
        /// The program.
        program: String,
    },
    /// A command did not start.
    #[error("`{command}` did not start: {source}")]
    Launch {
        /// The command, shortened.
        command: String,
        /// Why it did not.
        source: LaunchError,
    },
    /// A command failed.
    #[error("`{command}` {outcome}{said}")]
    Command {
        /// The command, shortened.
        command: String,
        /// How it ended.
        outcome: Outcome,
        /// What it said.
        said: Said,
    },
    /// It took too long; everything that the build had started is gone.
    #[error("it took longer than its limit of {} s, in `{command}`{said}", .limit.as_secs_f64())]
    TimedOut {
        /// The command that ran, shortened.
        command: String,
        /// How long the whole build may take.
        limit: Duration,
        /// What it said.
        said: Said,
    },
    /// It grew too large; what it had written is gone.
    #[error("it grew beyond its limit of {limit} bytes on disk, in `{command}`{said}")]
    TooLarge {
        /// The command that ran, shortened.
        command: String,
        /// The limit.
        limit: u64,
        /// What it said.
        said: Said,
    },
    /// It lacks the program for which it was built.
    #[error("its commands succeeded, but made no {binary}")]
    NoBinary {
        /// The program.
        binary: PathBuf,
    },
}

/// The last lines of a build, and where the others are.
#[derive(Debug)]
pub struct Said {
    pub(super) lines: String,
    pub(super) log: PathBuf,
}

struct NextTry(Duration);

impl EnvironmentError {
    pub(super) fn new(owner: Owner, fault: BuildFault, wait: Duration) -> Self {
        Self { owner, fault: Arc::new(fault), retry_at: Instant::now() + wait }
    }

    /// Until it is tried again when somebody asks.
    pub fn retry_in(&self) -> Duration {
        self.retry_at.saturating_duration_since(Instant::now())
    }
}

impl BuildFault {
    pub(super) fn disk(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { attempt, path: path.to_owned(), source }
    }

    pub(super) fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::disk("reading", path)(source)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.lines.is_empty() {
            write!(f, ":\n{}", self.lines)?;
        }
        write!(f, "\nThe whole log is in {}", self.log.display())
    }
}

impl fmt::Display for NextTry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs_f64().ceil() {
            seconds if seconds > 0.0 => write!(f, "\nThe next try is in {seconds} s at the earliest"),
            _ => Ok(()),
        }
    }
}
