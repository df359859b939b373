//! The tree below the launcher, as `/proc` shows it.
//!
//! The launcher is the subreaper of everything that it started, so whoever loses its parent becomes its child: a new
//! session or a double fork hides nobody, and following parents upwards finds every descendant.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_int;
use std::fs;

use crate::sys::{self, ProcessHandle, SIGKILL};

/// How often one call of `kill_all` looks again. The launcher must reap in between, or the dead pile up.
const PASSES: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: c_int,
    parent: c_int,
    /// Ticks since boot: with the id it names one process for ever.
    started: u64,
    ended: bool,
}

/// Sends the signals, in order, to every living descendant.
pub(crate) fn signal_all(signals: &[c_int]) {
    for process in living_descendants() {
        signal(process, signals);
    }
}

/// Sends SIGKILL to every living descendant, and looks again until nobody is found who had not got it yet. A process
/// that was killed starts no other, so only a tree that grows faster than it can be looked at needs another call.
pub(crate) fn kill_all() {
    let mut killed = BTreeSet::new();
    for _ in 0..PASSES {
        let mut fresh = living_descendants();
        fresh.retain(|process| killed.insert((process.pid, process.started)));
        if fresh.is_empty() {
            return;
        }
        for process in fresh {
            signal(process, &[SIGKILL]);
        }
    }
}

/// How many descendants are alive.
pub(crate) fn count() -> u32 {
    u32::try_from(living_descendants().len()).unwrap_or(u32::MAX)
}

/// The handle is opened first and the process looked at again after it: then it is the one that the scan saw.
fn signal(process: Process, signals: &[c_int]) {
    let Some(handle) = ProcessHandle::open(process.pid) else { return };
    if look_at(process.pid).is_some_and(|now| now.started == process.started) {
        for number in signals {
            handle.signal(*number);
        }
    }
}

fn living_descendants() -> Vec<Process> {
    let mut tree = descendants(sys::process_id(), processes());
    tree.retain(|process| !process.ended);
    tree
}

/// Follows the children of known members until there are none left.
fn descendants(root: c_int, all: Vec<Process>) -> Vec<Process> {
    let mut children: BTreeMap<c_int, Vec<Process>> = BTreeMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = children.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let pid = process.pid;
        found.extend(children.remove(&pid).unwrap_or_default());
        next += 1;
    }
    found
}

fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| look_at(entry.ok()?.file_name().to_str()?.parse().ok()?)).collect()
}

fn look_at(pid: c_int) -> Option<Process> {
    parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// `pid (name) state parent …`, the start time being the twentieth after the name. The name may hold anything,
/// parentheses too, so the fields are counted from the last one.
fn parse(pid: c_int, stat: &[u8]) -> Option<Process> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(&stat[name_end + 1..]).ok()?.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Process { pid, parent, started, ended })
}
