//! What a launcher's program has used so far, for those that run for long.
//!
//! The kernel adds what a process has used to its parent when that one reaps it, so what the launcher has reaped and what
//! the living have used and reaped is all of it, in the kernel's ticks of mostly 10 ms. What is reaped by nobody, because its
//! parent does not want to know of it, is in no sum, here nor at the end.

use std::fs;
use std::time::Duration;

use crate::memory::private_bytes;
use crate::tree::descendants;

/// A program that runs, with all that it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Processor time since it was started.
    pub cpu: Duration,
    /// Private resident bytes now.
    pub memory: u64,
}

/// Looks at a launcher's program; `None` when it is not there, or this system does not show its processes. It reads two
/// files for each process, so it is for once in a while. Processes that end meanwhile may be missed, or counted twice.
pub fn running(launcher_pid: u32) -> Option<Running> {
    let (mut ticks, mut memory) = (Ticks::of(launcher_pid)?.reaped, 0);
    for process in descendants(launcher_pid)? {
        ticks += Ticks::of(process).map_or(0, |found| found.own + found.reaped);
        memory += private_bytes(process).unwrap_or(0);
    }
    let cpu = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second());
    Some(Running { cpu, memory })
}

struct Ticks {
    own: u64,
    reaped: u64,
}

impl Ticks {
    /// `pid (name) state …`: the name may hold anything, and ends with the last parenthesis.
    fn of(process: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, fields) = text.rsplit_once(')')?;
        let mut times = fields.split_ascii_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
        let mut two = || Some(times.next()? + times.next()?);
        Some(Self { own: two()?, reaped: two()? })
    }
}
