//! Files that hosts refused. A file that changed since is tried again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::identity::Identity;

/// Beyond so many, all are forgotten; each is found out again by one turn.
const KEPT: usize = 10_000;

/// The files that hosts refused, as they were then.
#[derive(Debug, Default)]
pub(super) struct Unfit(Mutex<HashMap<PathBuf, Identity>>);

impl Unfit {
    /// Whether a host refused this file.
    pub(super) fn has(&self, file: &Path) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(file).is_some_and(|refused| Identity::of(file).is_ok_and(|now| now == *refused))
    }

    /// Remembers that a host refused it.
    pub(super) fn note(&self, file: &Path) {
        let Ok(identity) = Identity::of(file) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(file.to_owned(), identity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a");
        std::fs::write(&file, "1").unwrap();
        let unfit = Unfit::default();
        assert!(!unfit.has(&file));
        unfit.note(&file);
        assert!(unfit.has(&file));
        std::fs::write(&file, "12").unwrap();
        assert!(!unfit.has(&file));
    }
}
