//! How much memory a launcher's program takes, with everything that it started.
//!
//! Private memory only: what is shared, such as the interpreter's own code, would be counted once for each process
//! and would not come back when one of them ends.

use std::fs;

use crate::tree::descendants;

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
    let found = descendants(launcher_pid)?;
    let memory = found.iter().filter_map(|&process| private_bytes(process)).sum();
    Some(Held { processes: found.len() as u64, memory })
}

/// `size resident shared …`, in pages.
pub(crate) fn private_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let mut pages = text.split_ascii_whitespace().skip(1).map_while(|field| field.parse::<u64>().ok());
    let (resident, shared) = (pages.next()?, pages.next()?);
    Some(resident.saturating_sub(shared) * rustix::param::page_size() as u64)
}
