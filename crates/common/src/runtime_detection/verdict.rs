//! What verification found out about one runtime on this machine.

use std::path::PathBuf;

use attune_core::version::Version;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Whether a runtime is there, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether this machine can run it.
    pub available: bool,
    /// Its version, as far as its output told.
    pub version: Option<String>,
    /// The binary that was found, an absolute path.
    pub binary: Option<PathBuf>,
    /// Which command decided: its place in the row's list, from zero.
    pub command: Option<usize>,
    /// Why it is not available.
    pub reason: Option<String>,
    /// What is worth knowing although it is available.
    pub warning: Option<String>,
    /// When that was found out; earlier than now when it comes from the cache.
    pub verified_at: DateTime<Utc>,
}

/// A command that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) command: usize,
    pub(super) binary: PathBuf,
    pub(super) version: Option<Version>,
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
            reason: None,
            warning: None,
            verified_at: at,
        }
    }

    /// Nothing that could be tried succeeded.
    pub(super) fn not_found(reason: String, at: DateTime<Utc>) -> Self {
        Self { available: false, reason: Some(reason), ..Self::taken_for_granted(at) }
    }

    /// A command succeeded.
    pub(super) fn found(found: Found) -> Self {
        Self {
            version: found.version.map(|version| version.to_string()),
            binary: Some(found.binary),
            command: Some(found.command),
            ..Self::taken_for_granted(found.at)
        }
    }

    /// The same, but too old to be of use.
    pub(super) fn refused(self, reason: String) -> Self {
        Self { available: false, reason: Some(reason), ..self }
    }
}
