//! One process that the service has started, directly or not, chosen at random and killed.

use std::collections::HashMap;
use std::path::Path;

use rand::seq::IndexedRandom as _;
use rustix::process::{Pid, Signal, kill_process};

struct Process {
    pid: u32,
    parent: u32,
}

/// Kills one of the descendants; `None` when there is none, or it was faster.
pub(super) fn kill_one(service: u32) -> Option<String> {
    let victim = *descendants(service).choose(&mut rand::rng())?;
    let name = name(victim)?;
    let pid = Pid::from_raw(i32::try_from(victim).ok()?)?;
    kill_process(pid, Signal::KILL).ok()?;
    Some(name)
}

fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process.pid);
    }
    let (mut found, mut next) = (vec![root], 0);
    while let Some(parent) = found.get(next) {
        found.extend(children.remove(parent).unwrap_or_default());
        next += 1;
    }
    found.split_off(1)
}

fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some(Process { pid, parent: parent(pid)? })).collect()
}

/// `pid (name) state parent …`; what has ended is nobody's victim.
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    if fields.next()? == "Z" { None } else { fields.next()?.parse().ok() }
}

/// What it is called in the figures: the file that it runs, or the program.
fn name(pid: u32) -> Option<String> {
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = words.split_terminator('\0').filter_map(|word| Path::new(word).file_name()?.to_str());
    let program = words.next()?.to_owned();
    if program == "attune-launcher" {
        return Some(program);
    }
    let file = words.rfind(|word| word.contains('.') && !word.starts_with('-'));
    Some(file.map_or(program, str::to_owned))
}
