//! `runtime`: how long what a machine was found to have is believed, and where environments of packs are.

use std::path::PathBuf;
use std::time::Duration;

use super::directories;
use super::section::Section;
use super::sources::Sources;

/// What the section is for.
pub(super) const ABOUT: &str =
    "How long what a machine was found to have is believed, and where environments of packs are.";

/// The section `runtime`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeConfig {
    /// `cache_ttl`: how long the result of a verification command holds; zero: it is never kept.
    pub cache_ttl: Duration,
    /// `verify_interval`: how often a running service verifies again.
    pub verify_interval: Duration,
    /// `environments_dir`: where the dependencies of packs are installed; default `environments` in the user's cache.
    pub environments_dir: PathBuf,
}

impl RuntimeConfig {
    pub(super) fn read(keys: &mut Section<'_>, sources: &Sources) -> Self {
        Self {
            cache_ttl: keys.seconds_or_zero(
                "cache_ttl",
                600,
                "How long the result of a verification command holds; 0: it is never kept.",
            ),
            verify_interval: keys.seconds(
                "verify_interval",
                60,
                "How often a running service verifies again.",
            ),
            environments_dir: directories::environments_dir(keys, sources),
        }
    }
}
