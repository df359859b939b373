//! Who a process is, beyond a number that will be given to another one day.
//!
//! A process id and its start time name one process of one boot and one PID namespace. Written down, they let a later
//! process ask whether the writer is still there, and be told `Elsewhere` when that cannot be seen from here.

use std::fs;
use std::io;

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

/// One process, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the boot.
    pub start_time: u64,
    /// The boot of the machine that it runs on.
    pub boot_id: String,
    /// The namespace in which the number counts.
    pub pid_namespace: String,
}

/// Whether a process is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It is there.
    Alive,
    /// It has ended; its number may belong to another by now.
    Gone,
    /// It belongs to another machine, another boot or another PID namespace, and cannot be seen from here.
    Elsewhere,
}

impl ProcessIdentity {
    /// This process.
    pub fn current() -> io::Result<Self> {
        Self::of(std::process::id())
    }

    /// The process that has this number now.
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = Stat::read(pid)?;
        Ok(Self { pid, start_time: stat.start_time, boot_id: boot_id()?, pid_namespace: pid_namespace()? })
    }

    /// Whether it is still there. An error means that this system does not show its processes at all.
    pub fn liveness(&self) -> io::Result<Liveness> {
        if boot_id()? != self.boot_id || pid_namespace()? != self.pid_namespace {
            return Ok(Liveness::Elsewhere);
        }
        match Stat::read(self.pid) {
            Ok(stat) if stat.start_time == self.start_time && !stat.ended => Ok(Liveness::Alive),
            // The process table may hide other users' processes; then a number that is taken must count as alive.
            Err(_) if is_hidden(self.pid) => Ok(Liveness::Alive),
            Ok(_) | Err(_) => Ok(Liveness::Gone),
        }
    }

    /// Whether it is still there; `Elsewhere`, which claims nothing, when this system does not tell.
    pub fn is_alive(&self) -> Liveness {
        self.liveness().unwrap_or(Liveness::Elsewhere)
    }
}

struct Stat {
    start_time: u64,
    /// A zombie does nothing any more, whoever still has to notice that.
    ended: bool,
}

impl Stat {
    fn read(pid: u32) -> io::Result<Self> {
        let text = fs::read(format!("/proc/{pid}/stat"))?;
        Self::parse(&text)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat is not as expected"))
    }

    /// `pid (name) state …`, the start time being the twentieth field after the name, which may hold anything.
    fn parse(text: &[u8]) -> Option<Self> {
        let name_end = text.iter().rposition(|byte| *byte == b')')?;
        let mut fields = std::str::from_utf8(&text[name_end + 1..]).ok()?.split_ascii_whitespace();
        let ended = matches!(fields.next()?, "Z" | "X");
        Some(Self { start_time: fields.nth(18)?.parse().ok()?, ended })
    }
}

fn is_hidden(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) == Err(rustix::io::Errno::PERM))
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

fn pid_namespace() -> io::Result<String> {
    Ok(fs::read_link("/proc/self/ns/pid")?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive() {
        assert_eq!(ProcessIdentity::current().unwrap().is_alive(), Liveness::Alive);
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let mut identity = ProcessIdentity::current().unwrap();
        identity.start_time += 1;
        assert_eq!(identity.is_alive(), Liveness::Gone);
    }

    #[test]
    fn another_boot_or_namespace_cannot_be_judged() {
        let current = ProcessIdentity::current().unwrap();
        let rebooted = ProcessIdentity { boot_id: "another".into(), ..current.clone() };
        let contained = ProcessIdentity { pid_namespace: "pid:[1]".into(), ..current };
        assert_eq!(rebooted.is_alive(), Liveness::Elsewhere);
        assert_eq!(contained.is_alive(), Liveness::Elsewhere);
    }

    #[test]
    fn a_number_beyond_all_processes_is_gone() {
        let mut identity = ProcessIdentity::current().unwrap();
        identity.pid = u32::MAX;
        assert_eq!(identity.is_alive(), Liveness::Gone);
        assert!(ProcessIdentity::of(u32::MAX).is_err());
    }

    #[test]
    fn a_name_may_hold_anything() {
        let tail = " 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20";
        let stat = Stat::parse(format!("7 (a) Z (b) S{tail}").as_bytes()).unwrap();
        assert_eq!((stat.start_time, stat.ended), (18, false));
    }

    #[test]
    fn it_is_written_as_plain_fields() {
        let identity =
            ProcessIdentity { pid: 7, start_time: 8, boot_id: "b".into(), pid_namespace: "pid:[1]".into() };
        let json = r#"{"pid":7,"start_time":8,"boot_id":"b","pid_namespace":"pid:[1]"}"#;
        assert_eq!(serde_json::to_string(&identity).unwrap(), json);
        assert_eq!(serde_json::from_str::<ProcessIdentity>(json).unwrap(), identity);
    }
}
