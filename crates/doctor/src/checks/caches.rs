//! What can be made again: how much there is, and what of it is damaged or was never finished.

use std::fs::{DirEntry, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use attune_runtimes::digest::{digest, is_digest};
use attune_runtimes::directory;

use super::disk::size;
use crate::finding::{Finding, first_few};
use crate::installation::Installation;

/// What is younger may still be under way.
const UNDER_WAY: Duration = Duration::from_hours(1);

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let cache = &installation.config.cache_dir;
    let Ok(entries) = std::fs::read_dir(cache) else {
        return vec![Finding::skipped(format!("there is nothing at {} yet", cache.display()))];
    };
    let told = |entry: DirEntry| format!("{} {}", entry.file_name().display(), size(bytes_below(&entry)));
    let mut sizes: Vec<_> = entries.flatten().map(told).collect();
    sizes.sort();
    let mut findings = vec![Finding::ok(format!("{}: {}", cache.display(), sizes.join(", ")))];
    findings.extend(packs(&cache.join("packs")).into_iter().flatten());
    findings
}

/// Unpacked contents of packs: `<digest>`, complete by construction.
fn packs(root: &Path) -> [Option<Finding>; 2] {
    let entries: Vec<_> = std::fs::read_dir(root).into_iter().flatten().flatten().collect();
    let named = |entry: &DirEntry| entry.file_name().to_string_lossy().into_owned();
    let unfinished = entries.iter().filter(|entry| named(entry).starts_with('.') && is_old(entry));
    let damaged = entries.iter().filter(|entry| is_digest(&named(entry)) && is_damaged(entry));
    let paths = |entries: Vec<&DirEntry>| {
        entries.iter().map(|entry| entry.path().display().to_string()).collect::<Vec<_>>()
    };
    [
        worth_removing(&paths(unfinished.collect()), "never finished"),
        worth_removing(&paths(damaged.collect()), "changed since it was unpacked; the next use replaces it"),
    ]
}

fn worth_removing(paths: &[String], what: &str) -> Option<Finding> {
    let mend = || format!("rm -r {}", paths.join(" "));
    (!paths.is_empty()).then(|| Finding::warning(format!("{what}: {}", first_few(paths)), mend()))
}

fn is_damaged(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy().into_owned();
    directory::read(&entry.path()).map_or(true, |files| digest(&files) != name)
}

pub(super) fn is_old(entry: &DirEntry) -> bool {
    let modified =
        entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    modified.elapsed().is_ok_and(|age| age > UNDER_WAY)
}

/// The last line that says something, of a file that may be long.
pub(super) fn last_line(path: &Path) -> Option<String> {
    /// A line that is longer is no line.
    const TAIL: u64 = 4096;
    let mut file = File::open(path).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    tail.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

/// What lies in a directory, or what a file holds. Links are not followed, and what can not be read counts nothing.
pub(super) fn bytes_below(entry: &DirEntry) -> u64 {
    fn sum(entry: &DirEntry, left: u32) -> u64 {
        let Ok(metadata) = entry.metadata() else { return 0 };
        if !metadata.is_dir() || left == 0 {
            return metadata.len();
        }
        let below = std::fs::read_dir(entry.path()).into_iter().flatten().flatten();
        below.map(|entry| sum(&entry, left - 1)).sum()
    }
    /// Deeper than anything that is meant.
    const DEEPEST: u32 = 64;
    sum(entry, DEEPEST)
}
