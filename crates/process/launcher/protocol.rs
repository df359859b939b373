//! What the service and its launcher say to each other; compiled into both.
//!
//! The order goes in as arguments, so that a process list shows an operator what runs and under which rules:
//!
//! ```text
//! attune-launcher run  --parent=PID --cwd=DIR --grace-ms=N [--group] [--no-new-privs] [--limit-…=N]
//!                      [--sandbox=namespace|strict [--visible=DIR]…] -- PROGRAM ARGUMENT…
//! attune-launcher exec --parent=PID --cwd=DIR --death-signal=N [--gid=N --uid=N] -- PROGRAM ARGUMENT…
//! ```
//!
//! The answer comes back as records of a fixed size on descriptor 3. One record is one write far below the size
//! that a pipe keeps whole, so a reader never sees half of one unless the launcher was killed.

/// The descriptor on which the launcher reports. It is closed when a program is executed, so the program never sees it.
pub(crate) const STATUS_FD: i32 = 3;

/// With `--group`: the directory of a cgroup that is the program's alone. The launcher itself is not in it.
pub(crate) const GROUP_FD: i32 = STATUS_FD + 1;

/// SIGUSR1: end the whole tree with SIGKILL at once. SIGTERM and SIGINT ask for the polite way first.
pub(crate) const KILL_NOW: i32 = 10;

/// The bytes of one record.
pub(crate) const RECORD_BYTES: usize = 40;

/// The step at which a program could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Step {
    /// Reading the launcher's own arguments.
    Order = 1,
    /// Closing what was inherited.
    Descriptors = 2,
    /// Becoming the reaper of whatever the program leaves behind.
    Subreaper = 3,
    /// Asking to be told when the parent dies, or the parent had died already.
    Parent = 4,
    /// Creating the process.
    Clone = 5,
    /// Leaving the launcher's session.
    Session = 6,
    /// Giving up the right to gain privileges.
    Privileges = 7,
    /// Setting a resource limit.
    Limits = 8,
    /// Becoming another user.
    User = 9,
    /// Entering the working directory.
    Directory = 10,
    /// Executing the program.
    Exec = 11,
    /// Making namespaces, or the view of the file system in them.
    Sandbox = 12,
}

impl Step {
    const ALL: [Self; 12] = [
        Self::Order,
        Self::Descriptors,
        Self::Subreaper,
        Self::Parent,
        Self::Clone,
        Self::Session,
        Self::Privileges,
        Self::Limits,
        Self::User,
        Self::Directory,
        Self::Exec,
        Self::Sandbox,
    ];

    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step as i32 == number)
    }
}

/// How the program itself ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// Even SIGKILL did not end it in time: it belongs to another user, or hangs in the kernel.
    Survived,
}

/// What the program and everything it started have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// Processor time in user mode, in microseconds.
    pub(crate) user_us: u64,
    /// Processor time in the kernel, in microseconds.
    pub(crate) system_us: u64,
    /// The largest resident set of any one process, in bytes.
    pub(crate) max_rss_bytes: u64,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The program was not started.
    Failed {
        /// Where it failed.
        step: Step,
        /// The error number of that step.
        errno: i32,
    },
    /// The program has exited, but processes that it started are alive. They live until `KILL_NOW`.
    Lingering,
    /// All is over.
    Ended {
        /// How the program itself ended.
        end: End,
        /// Descendants that could not be ended.
        survivors: u32,
        /// What the whole tree has used.
        used: Resources,
    },
}

impl Report {
    /// The record's bytes: tag, two numbers, survivors, three counters.
    pub(crate) fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let (tag, first, second, survivors, used) = match self {
            Self::Failed { step, errno } => (1, step as i32, errno, 0, Resources::default()),
            Self::Lingering => (2, 0, 0, 0, Resources::default()),
            Self::Ended { end: End::Exited(code), survivors, used } => (3, 1, code, survivors, used),
            Self::Ended { end: End::Signalled(signal), survivors, used } => (3, 2, signal, survivors, used),
            Self::Ended { end: End::Survived, survivors, used } => (3, 3, 0, survivors, used),
        };
        let mut bytes = [0; RECORD_BYTES];
        bytes[0..4].copy_from_slice(&i32::to_ne_bytes(tag));
        bytes[4..8].copy_from_slice(&first.to_ne_bytes());
        bytes[8..12].copy_from_slice(&second.to_ne_bytes());
        bytes[12..16].copy_from_slice(&survivors.to_ne_bytes());
        bytes[16..24].copy_from_slice(&used.user_us.to_ne_bytes());
        bytes[24..32].copy_from_slice(&used.system_us.to_ne_bytes());
        bytes[32..40].copy_from_slice(&used.max_rss_bytes.to_ne_bytes());
        bytes
    }

    /// Reads a record; `None` for bytes that no launcher writes.
    pub(crate) fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let number = |at: usize| Some(i32::from_ne_bytes(bytes[at..at + 4].try_into().ok()?));
        let counter = |at: usize| Some(u64::from_ne_bytes(bytes[at..at + 8].try_into().ok()?));
        let (first, second) = (number(4)?, number(8)?);
        match number(0)? {
            1 => Some(Self::Failed { step: Step::from_number(first)?, errno: second }),
            2 => Some(Self::Lingering),
            3 => Some(Self::Ended {
                end: match first {
                    1 => End::Exited(second),
                    2 => End::Signalled(second),
                    3 => End::Survived,
                    _ => return None,
                },
                survivors: number(12)?.cast_unsigned(),
                used: Resources {
                    user_us: counter(16)?,
                    system_us: counter(24)?,
                    max_rss_bytes: counter(32)?,
                },
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_survives_the_pipe() {
        let used = Resources { user_us: 1, system_us: u64::MAX, max_rss_bytes: 3 };
        let mut reports = vec![Report::Lingering];
        reports.extend(Step::ALL.map(|step| Report::Failed { step, errno: 13 }));
        reports.extend([End::Exited(255), End::Signalled(9), End::Survived].map(|end| Report::Ended {
            end,
            survivors: 7,
            used,
        }));
        for report in reports {
            assert_eq!(Report::from_bytes(&report.to_bytes()), Some(report));
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        assert_eq!(Report::from_bytes(&[0; RECORD_BYTES]), None);
        assert_eq!(Report::from_bytes(&[0xff; RECORD_BYTES]), None);
    }
}
