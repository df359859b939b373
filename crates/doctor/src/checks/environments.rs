//! Environments of packs: how many are complete, and which never came to that.

use std::fs::{self, DirEntry};
use std::path::Path;

use super::caches::{bytes_below, is_old, last_line};
use super::disk::size;
use crate::finding::{Finding, first_few};
use crate::installation::Installation;

/// The link to the attempt that succeeded, and what the last attempt said.
const READY: &str = "ready";
const LOG: &str = "log";

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let root = &installation.config.runtime.environments_dir;
    let Ok(entries) = fs::read_dir(root) else {
        return vec![Finding::skipped(format!("there is nothing at {} yet", root.display()))];
    };
    let (ready, others): (Vec<_>, Vec<_>) =
        entries.flatten().filter(|entry| entry.path().is_dir()).partition(|entry| is_ready(&entry.path()));
    let bytes = ready.iter().chain(&others).map(bytes_below).sum();
    let mut findings =
        vec![Finding::ok(format!("{}: {} complete, {} in all", root.display(), ready.len(), size(bytes)))];
    findings.extend(incomplete(&others.iter().filter(|entry| is_old(entry)).collect::<Vec<_>>()));
    findings
}

fn is_ready(directory: &Path) -> bool {
    directory.join(READY).is_dir()
}

/// A young one may be under way; the build has a time limit well below an hour.
fn incomplete(entries: &[&DirEntry]) -> Option<Finding> {
    let names: Vec<_> = entries.iter().map(|entry| told(&entry.path())).collect();
    let logs: Vec<_> = entries.iter().map(|entry| entry.path().join(LOG).display().to_string()).collect();
    let found = || format!("never became complete: {}", first_few(&names));
    let mend = || format!("the next use builds it again; what went wrong is in {}", first_few(&logs));
    (!entries.is_empty()).then(|| Finding::warning(found(), mend()))
}

/// The first digits of its digest and the last line of its log.
fn told(directory: &Path) -> String {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let short: String = name.chars().take(12).collect();
    format!("{short} ({})", last_line(&directory.join(LOG)).unwrap_or_else(|| "it has no log".to_owned()))
}
