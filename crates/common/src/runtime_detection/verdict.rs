//! What verification found out about one runtime on this machine.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use attune_core::version;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Whether a runtime is there, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether this machine can run it.
    pub available: bool,
    /// Its version, as far as its output told.
    pub version: Option<String>,
    /// The binary that was found, an absolute path.
    pub binary: Option<PathBuf>,
    /// Which command decided: its place in the row's list, from zero.
    pub command: Option<usize>,
    /// Every version that the commands found side by side; that of the deciding one comes first.
    pub versions: Vec<Version>,
    /// The commands that were tried and do not count, in the order of their priority.
    pub failures: Vec<Failed>,
    /// Why it is not available.
    pub reason: Option<String>,
    /// What is worth knowing although it is available.
    pub warning: Option<String>,
    /// When that was found out; earlier than now when it comes from the cache.
    pub verified_at: DateTime<Utc>,
}

/// One of several versions on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// As far as its output told.
    pub version: Option<String>,
    /// An absolute path, as far as it is text.
    pub binary: String,
}

/// A command that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Its place in the row's list, from zero.
    pub command: usize,
    /// Why, with the binary's name.
    pub reason: String,
    /// Somebody killed it, which says nothing about the binary.
    #[serde(skip)]
    pub was_killed: bool,
}

/// A command that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) command: usize,
    pub(super) binary: PathBuf,
    pub(super) version: Option<version::Version>,
    pub(super) at: DateTime<Utc>,
}

impl Verdict {
    /// Available without a look.
    pub(super) fn taken_for_granted(at: DateTime<Utc>) -> Self {
        Self {
            available: true,
            version: None,
            binary: None,
            command: None,
            versions: Vec::new(),
            failures: Vec::new(),
            reason: None,
            warning: None,
            verified_at: at,
        }
    }

    /// Nothing that could be tried succeeded.
    pub(super) fn not_found(reason: String, at: DateTime<Utc>) -> Self {
        Self { available: false, reason: Some(reason), ..Self::taken_for_granted(at) }
    }

    /// Commands succeeded, of which the first decides.
    pub(super) fn found(decisive: &Found, others: &[Found]) -> Self {
        Self {
            version: decisive.version.as_ref().map(ToString::to_string),
            binary: Some(decisive.binary.clone()),
            command: Some(decisive.command),
            versions: side_by_side(std::iter::once(decisive).chain(others)),
            ..Self::taken_for_granted(decisive.at)
        }
    }

    /// Whether another look may well come to another end: a command was killed.
    pub fn is_in_doubt(&self) -> bool {
        self.failures.iter().any(|failed| failed.was_killed)
    }

    /// The same, but too old to be of use.
    pub(super) fn refused(self, reason: String) -> Self {
        Self { available: false, reason: Some(reason), ..self }
    }
}

/// Each real file once. A manager's shims may be one file under many names, so it counts again with another version.
fn side_by_side<'a>(found: impl Iterator<Item = &'a Found>) -> Vec<Version> {
    let mut seen = HashSet::new();
    let version = |found: &Found| found.version.as_ref().map(ToString::to_string);
    found
        .filter(|found| seen.insert((real(&found.binary), version(found))))
        .map(|found| Version { version: version(found), binary: found.binary.to_string_lossy().into_owned() })
        .collect()
}

fn real(binary: &Path) -> PathBuf {
    std::fs::canonicalize(binary).unwrap_or_else(|_| binary.to_owned())
}
