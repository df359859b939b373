//! How much memory a launcher's program takes, with everything that it started.
//!
//! Private memory only: what is shared, such as the interpreter's own code, would be counted once for each process
//! and would not come back when one of them ends.

use std::fs;

/// What a launcher's program has, with all that it started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) processes: u64,
    /// Private resident bytes.
    pub(crate) memory: u64,
}

/// The private resident bytes of all descendants of a launcher; `None` when it is not there, or this system does not
/// show its processes. Processes that come or go meanwhile may be missed.
pub fn memory(launcher_pid: u32) -> Option<u64> {
    held(launcher_pid).map(|held| held.memory)
}

pub(crate) fn held(launcher_pid: u32) -> Option<Held> {
    let mut held = Held::default();
    for_each_descendant(launcher_pid, |process| {
        held.processes += 1;
        held.memory += private_bytes(process).unwrap_or(0);
    })?;
    Some(held)
}

/// Those of a launcher; `None` when it is not there, or this system does not show its processes.
pub(crate) fn for_each_descendant(launcher_pid: u32, mut see: impl FnMut(u32)) -> Option<()> {
    let mut found = children(launcher_pid)?;
    while let Some(process) = found.pop() {
        see(process);
        found.extend(children(process).unwrap_or_default());
    }
    Some(())
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

/// `size resident shared …`, in pages.
pub(crate) fn private_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let mut pages = text.split_ascii_whitespace().skip(1).map_while(|field| field.parse::<u64>().ok());
    let (resident, shared) = (pages.next()?, pages.next()?);
    Some(resident.saturating_sub(shared) * rustix::param::page_size() as u64)
}
