//! `runtime`: how long what a machine was found to have is believed.

use std::time::Duration;

use super::section::Section;

/// The section `runtime`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeConfig {
    /// `cache_ttl`: how long the result of a verification command holds; zero: it is never kept.
    pub cache_ttl: Duration,
    /// `verify_interval`: how often a running service verifies again.
    pub verify_interval: Duration,
}

impl RuntimeConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            cache_ttl: section.seconds_or_zero("cache_ttl", 600),
            verify_interval: section.seconds("verify_interval", 60),
        }
    }
}
