//! The tree below the launcher, as `/proc` shows it.
//!
//! The launcher is the subreaper of everything that it started, so whoever loses its parent becomes its child: a new
//! session or a double fork hides nobody, and following parents upwards finds every descendant.

use std::ffi::c_int;
use std::fs;

use crate::sys::{self, ProcessHandle};

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

/// Keeps moving children of known members over until a pass finds none.
fn descendants(root: c_int, mut others: Vec<Process>) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    loop {
        let before = found.len();
        others.retain(|process| {
            let ours = process.parent == root || found.iter().any(|member| member.pid == process.parent);
            if ours {
                found.push(*process);
            }
            !ours
        });
        if found.len() == before {
            return found;
        }
    }
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
