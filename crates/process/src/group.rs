//! Cgroups of version 2: a set of processes that the kernel knows as one and kills as one.
//!
//! A run's program is born into a group of its own and can leave it only by the rights of the service's own user; the
//! launcher stays outside. So when even the launcher is killed, this side still knows all that was started. Groups
//! live below the service's own one, in a directory that carries the service's identity: a later start removes what a
//! service left that died without doing so.
//!
//! To make and to remove a group takes a tenth of a millisecond, so one that nothing happened to is used again. One
//! that was killed is not: a process that is born into such a group counts as killed with it.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::fcntl_dupfd_cloexec;

use crate::hierarchy;
use crate::identity::{Liveness, ProcessIdentity};
use crate::protocol::GROUP_FD;
use crate::reaper;

/// More than run at once on most services; what is beyond is removed.
const KEPT: usize = 64;

/// The groups of this process.
pub(crate) struct Groups {
    /// The directory that holds them, and nothing else.
    home: PathBuf,
    free: Mutex<Vec<Group>>,
    made: AtomicU32,
}

/// An empty group, or one that holds a single run.
pub(crate) struct Group {
    path: PathBuf,
    directory: OwnedFd,
}

impl Groups {
    /// Makes a home for groups, and removes those that dead services left.
    pub(crate) fn open() -> io::Result<Self> {
        let own = hierarchy::own_directory()?;
        let identity = ProcessIdentity::current()?;
        let home = own.join(Home::of(&identity).name());
        match fs::create_dir(&home) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        sweep(&own, &identity);
        Ok(Self { home, free: Mutex::default(), made: AtomicU32::new(0) })
    }

    /// A group for one run.
    pub(crate) fn lease(&self) -> io::Result<Group> {
        if let Some(free) = self.free().pop() {
            return Ok(free);
        }
        let path = self.home.join(self.made.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir(&path)?;
        let directory = File::open(&path)?.into();
        Ok(Group { path, directory })
    }

    /// Takes back an empty group that was never killed.
    pub(crate) fn give_back(&self, group: Group) {
        let mut free = self.free();
        if free.len() < KEPT {
            free.push(group);
        } else {
            drop(free);
            group.bury();
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Group>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// The directory, for a launcher.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        Ok(fcntl_dupfd_cloexec(&self.directory, GROUP_FD + 1)?)
    }

    /// Kills everything in it. That is not over when this returns.
    pub(crate) fn kill(&self) -> io::Result<()> {
        kill(&self.path)
    }

    /// Whether nothing lives in it.
    pub(crate) fn is_empty(&self) -> io::Result<bool> {
        let events = fs::read_to_string(self.path.join("cgroup.events"))?;
        Ok(events.lines().any(|line| line == "populated 0"))
    }

    /// Kills whatever is in it, and has it removed.
    pub(crate) fn bury(self) {
        bury(self.path);
    }
}

fn kill(path: &Path) -> io::Result<()> {
    fs::write(path.join("cgroup.kill"), "1")
}

fn bury(path: PathBuf) {
    if let Err(error) = kill(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, group = %path.display(), "A cgroup could not be killed");
    }
    reaper::remove_group(path);
}

/// The name of a home says whose it is.
struct Home {
    namespace: String,
    pid: u32,
    start_time: u64,
}

impl Home {
    fn of(identity: &ProcessIdentity) -> Self {
        let namespace = identity.pid_namespace.chars().filter(char::is_ascii_digit).collect();
        Self { namespace, pid: identity.pid, start_time: identity.start_time }
    }

    fn name(&self) -> String {
        format!("attune-{}-{}-{}", self.namespace, self.pid, self.start_time)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("attune-")?.split('-');
        let namespace = parts.next()?.to_owned();
        let (pid, start_time) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { namespace, pid, start_time })
    }

    /// Groups do not outlive a boot, so one that is there is of this one.
    fn is_abandoned(&self, current: &ProcessIdentity) -> bool {
        let owner = ProcessIdentity { pid: self.pid, start_time: self.start_time, ..current.clone() };
        self.namespace == Self::of(current).namespace && owner.is_alive() == Liveness::Gone
    }
}

fn sweep(own: &Path, current: &ProcessIdentity) {
    let Ok(entries) = fs::read_dir(own) else { return };
    for entry in entries.flatten() {
        let home = entry.file_name().to_str().and_then(Home::parse);
        if home.is_some_and(|home| home.is_abandoned(current)) {
            bury(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_carries_the_identity_of_its_owner() {
        let current = ProcessIdentity::current().unwrap();
        let name = Home::of(&current).name();
        assert!(!Home::parse(&name).unwrap().is_abandoned(&current), "this process is alive");
        let dead = Home { start_time: current.start_time + 1, ..Home::of(&current) };
        assert!(Home::parse(&dead.name()).unwrap().is_abandoned(&current));
        let foreign = Home { namespace: "1".into(), ..dead };
        assert!(!foreign.is_abandoned(&current), "who cannot be seen is not judged");
    }

    #[test]
    fn other_directories_are_nobodys_home() {
        for name in ["attune", "attune-service", "attune-1-2", "attune-1-2-3-4", "attune-1-x-3", "user-1-2-3"]
        {
            assert!(Home::parse(name).is_none(), "{name}");
        }
    }
}
