//! What a build takes of the disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked at.
const PERIOD: Duration = Duration::from_millis(500);
/// A block, as the system counts them.
const BLOCK: u64 = 512;

/// Bytes that everything below `directory` takes. What vanishes meanwhile takes nothing.
fn usage(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => found.blocks() * BLOCK + usage(&entry.path()),
        Ok(found) => found.blocks() * BLOCK,
        Err(_) => 0,
    };
    entries.map(of).sum()
}

/// Ready when `directory` takes `limit` bytes or more.
pub(super) async fn exceeded(directory: PathBuf, limit: u64) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if usage_of(directory.clone()).await >= limit {
            return;
        }
    }
}

/// Bytes that everything below `directory` takes now.
pub(super) async fn usage_of(directory: PathBuf) -> u64 {
    // A walk that panics would be a bug; that it found nothing is the harmless answer.
    tokio::task::spawn_blocking(move || usage(&directory)).await.unwrap_or(0)
}
