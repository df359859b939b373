//! One process that the service has started, directly or not, chosen at random and killed.

use std::collections::HashMap;
use std::path::Path;

use rand::seq::IndexedRandom as _;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The children of each process.
type Family = HashMap<u32, Vec<u32>>;

/// Kills one of the descendants; `None` when there is none, or it was faster.
pub(super) fn kill_one(service: u32) -> Option<String> {
    let family = family();
    let victim = *descendants(service, &family).choose(&mut rand::rng())?;
    let name = name(victim, &family)?;
    let handle = pidfd_open(Pid::from_raw(i32::try_from(victim).ok()?)?, PidfdFlags::empty()).ok()?;
    // Whoever has its number now, and no longer its parent, is somebody else.
    let siblings = family.get(&parent(victim)?)?;
    if !siblings.contains(&victim) {
        return None;
    }
    pidfd_send_signal(handle, Signal::KILL).ok()?;
    Some(name)
}

fn descendants(root: u32, family: &Family) -> Vec<u32> {
    let (mut found, mut next) = (vec![root], 0);
    while let Some(parent) = found.get(next) {
        found.extend(family.get(parent).into_iter().flatten());
        next += 1;
    }
    found.split_off(1)
}

fn family() -> Family {
    let mut family = Family::new();
    let Ok(entries) = std::fs::read_dir("/proc") else { return family };
    for pid in entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        if let Some(parent) = parent(pid) {
            family.entry(parent).or_default().push(pid);
        }
    }
    family
}

/// `pid (name) state parent …`; what has ended is nobody's victim.
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    if fields.next()? == "Z" { None } else { fields.next()?.parse().ok() }
}

/// What it is called in the figures: the file that it runs, or the program; a launcher by what it launched.
fn name(pid: u32, family: &Family) -> Option<String> {
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = words.split_terminator('\0').filter_map(|word| Path::new(word).file_name()?.to_str());
    let program = words.next()?.to_owned();
    if program == "attune-launcher" {
        let launched = family.get(&pid).and_then(|children| name(*children.first()?, family));
        return Some(launched.map_or(program, |launched| format!("launcher of {launched}")));
    }
    let file = words.rfind(|word| word.contains('.') && !word.starts_with('-'));
    Some(file.map_or(program, str::to_owned))
}
