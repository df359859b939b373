//! Who descends from a process, as far as this system shows that.

use std::fs;

/// The descendants of a process, a launcher above all; `None` when it is not there, or this system does not show its
/// processes. Processes that come or go meanwhile may be missed.
pub fn descendants(process: u32) -> Option<Vec<u32>> {
    let mut found = children(process)?;
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        found.extend(children(process).unwrap_or_default());
        next += 1;
    }
    Some(found)
}

/// The children of all threads of a process.
fn children(process: u32) -> Option<Vec<u32>> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let children =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    Some(children.flat_map(|list| numbers(&list)).collect())
}

fn numbers(list: &str) -> Vec<u32> {
    list.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
}
