//! Programs that take more than they may.
//!
//! Processor time and the size of files are kept by the kernel for each process, and a signal of its own says which it
//! was. Memory and processes are looked at from here, ten times a second, as those of the whole tree: the kernel's limit
//! for memory counts addresses instead, of which some interpreters reserve most of a gigabyte before they do anything; the one
//! for processes counts those of the user, and root's not at all; and what the kernel refuses looks like any other
//! failure. So a program may exceed these two for a moment.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::memory::{Held, held};
use crate::outcome::Outcome;
use crate::program::{Limits, Resources};
use crate::sandbox::Level;

const LOOK: Duration = Duration::from_millis(100);

const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
/// What shells add to the signal that ended their program, to exit with the sum.
const SHELL: i32 = 128;

/// A limit that a program was ended for, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Private memory of all its processes together, in bytes.
    Memory(u64),
    /// Processes, its own included.
    Processes(u64),
    /// Processor time of one of its processes, in seconds.
    CpuSeconds(u64),
    /// The size of a file, in bytes.
    FileBytes(u64),
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(limit) => {
                write!(formatter, "it used more memory than its limit of {}", Bytes(*limit))
            }
            Self::Processes(limit) => write!(formatter, "it ran more processes than its limit of {limit}"),
            Self::CpuSeconds(limit) => {
                write!(formatter, "it used more processor time than its limit of {limit} s")
            }
            Self::FileBytes(limit) => {
                write!(formatter, "it wrote a file larger than its limit of {}", Bytes(*limit))
            }
        }
    }
}

/// A number of bytes, in the largest unit in which it is whole.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        match units.into_iter().find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((size, unit)) => write!(formatter, "{} {unit}", self.0 / size),
            None => write!(formatter, "{} bytes", self.0),
        }
    }
}

impl Excess {
    /// What the end of a program says, if it had such a limit.
    pub(crate) fn of(own: Outcome, resources: &Resources) -> Option<Self> {
        let (Outcome::Signalled(signal) | Outcome::Exited(signal)) = own else { return None };
        match signal {
            SIGXCPU if own == Outcome::Signalled(signal) => resources.cpu_seconds.map(Self::CpuSeconds),
            SIGXFSZ if own == Outcome::Signalled(signal) => resources.file_bytes.map(Self::FileBytes),
            code if code == SHELL + SIGXCPU => resources.cpu_seconds.map(Self::CpuSeconds),
            code if code == SHELL + SIGXFSZ => resources.file_bytes.map(Self::FileBytes),
            _ => None,
        }
    }
}

/// Looks at a tree from time to time.
pub(crate) struct Watch {
    memory: Option<u64>,
    processes: Option<u64>,
    /// How many of the processes are the launcher's own copies.
    launchers: u64,
    next: Instant,
}

impl Watch {
    /// A watch when there is something to look for.
    pub(crate) fn new(limits: &Limits) -> Option<Self> {
        let &Resources { memory_bytes: memory, processes, .. } = &limits.resources;
        let launchers = u64::from(limits.sandbox >= Level::Namespace);
        memory.or(processes).map(|_| Self { memory, processes, launchers, next: Instant::now() + LOOK })
    }

    /// Waits until it is time to look. May be dropped while it waits.
    pub(crate) async fn is_due(watch: Option<&Self>) {
        match watch {
            Some(watch) => sleep_until(watch.next).await,
            None => std::future::pending().await,
        }
    }

    /// What the tree below this launcher has too much of.
    pub(crate) fn look(&mut self, launcher: u32) -> Option<Excess> {
        self.next = Instant::now() + LOOK;
        let Held { processes, memory } = held(launcher)?;
        let over = |limit: Option<u64>, value: u64| limit.filter(|limit| value > *limit);
        let memory = over(self.memory, memory).map(Excess::Memory);
        memory
            .or_else(|| over(self.processes, processes.saturating_sub(self.launchers)).map(Excess::Processes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_whole_units() {
        for (bytes, text) in [
            (256_000_000, "256 MB"),
            (1_073_741_824, "1073741824 bytes"),
            (2_000_000_000, "2 GB"),
            (500, "500 bytes"),
        ] {
            let told = Excess::Memory(bytes).to_string();
            assert_eq!(told, format!("it used more memory than its limit of {text}"));
        }
    }

    #[test]
    fn an_end_is_an_excess_only_with_the_limit() {
        let limited = Resources { cpu_seconds: Some(1), ..Resources::default() };
        for (own, expected) in [
            (Outcome::Signalled(24), Some(Excess::CpuSeconds(1))),
            (Outcome::Exited(152), Some(Excess::CpuSeconds(1))),
            (Outcome::Exited(24), None),
            (Outcome::Signalled(25), None),
            (Outcome::Signalled(9), None),
        ] {
            assert_eq!(Excess::of(own, &limited), expected, "{own:?}");
            assert_eq!(Excess::of(own, &Resources::default()), None, "{own:?}");
        }
    }
}
