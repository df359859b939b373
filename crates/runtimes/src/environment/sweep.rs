//! Removes environments that nobody has used for a month. Best effort: what can not be removed now is tried again later.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::place::{Place, is_unused};

const UNUSED: Duration = Duration::from_hours(24 * 30);

pub(super) fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let old = entry.path().is_dir() && is_unused(&entry.path(), UNUSED).unwrap_or(false);
        if let Some(digest) = entry.file_name().to_str().filter(|_| old) {
            remove(&Place::new(root, digest));
        }
    }
}

fn remove(place: &Place) {
    // Whoever holds the lock is about to use it.
    if let Ok(Some(_lock)) = place.lock()
        && let Err(error) = place.remove()
    {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "An unused environment could not be removed"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_is_old_goes_and_what_is_used_stays() {
        let root = tempfile::tempdir().unwrap();
        for name in ["old", "used"] {
            let place = Place::new(root.path(), name);
            let attempt = place.begin().unwrap();
            place.complete(&attempt).unwrap();
            let long_ago = SystemTime::now() - 2 * UNUSED;
            File::open(place.directory()).unwrap().set_modified(long_ago).unwrap();
        }
        assert!(Place::new(root.path(), "used").ready().is_some());
        sweep(root.path());
        assert!(Place::new(root.path(), "used").ready().is_some());
        assert!(!root.path().join("old").exists());
    }
}
