//! The thread that waits for processes whose owners were dropped before they ended.
//!
//! They have been told to end already. Each gets its patience, then SIGKILL; so every one of them ends, and none stays
//! as a zombie, whatever happened to the task or the runtime that started it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

use crate::group::Group;

/// A process that nobody else waits for.
struct Orphan {
    handle: OwnedFd,
    kill_at: Option<Instant>,
    /// Where all that it has started lives.
    group: Option<Group>,
}

/// A cgroup that was killed, and can be removed once the last process in it has ended.
struct Grave {
    path: PathBuf,
    give_up_at: Instant,
}

/// How often graves are looked at, and for how long. What hangs in the kernel for longer is left to the next start.
const ROUND: Duration = Duration::from_millis(10);
const STUBBORN: Duration = Duration::from_secs(10);

/// Where orphans wait until the thread takes them over.
struct Door {
    bell: OwnedFd,
    waiting: Mutex<Vec<Orphan>>,
    graves: Mutex<Vec<Grave>>,
}

/// Takes over a process that was told to end.
pub(crate) fn adopt(handle: OwnedFd, patience: Duration, group: Option<Group>) {
    let orphan = Orphan { handle, kill_at: Some(Instant::now() + patience), group };
    knock(|door| lock(&door.waiting).push(orphan));
}

/// Takes over a cgroup that was killed.
pub(crate) fn remove_group(path: PathBuf) {
    let grave = Grave { path, give_up_at: Instant::now() + STUBBORN };
    knock(|door| lock(&door.graves).push(grave));
}

fn knock(hand_over: impl FnOnce(&Door)) {
    match door() {
        Ok(door) => {
            hand_over(&door);
            // The counter would have to overflow for this to fail, and then the bell is ringing anyway.
            let _ = rustix::io::write(&door.bell, &1_u64.to_ne_bytes());
        }
        Err(error) => {
            tracing::error!(%error, "cannot wait for an abandoned process; it stays until this service ends");
        }
    }
}

fn lock<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's door; the first orphan builds it. A failure is not remembered, the next one tries again.
fn door() -> io::Result<Arc<Door>> {
    static DOOR: Mutex<Option<Arc<Door>>> = Mutex::new(None);
    let mut door = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(door) = &*door {
        return Ok(Arc::clone(door));
    }
    let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let new = Arc::new(Door { bell, waiting: Mutex::default(), graves: Mutex::default() });
    let inside = Arc::clone(&new);
    thread::Builder::new().name("attune-reaper".into()).spawn(move || wait_for_all(&inside))?;
    Ok(Arc::clone(door.insert(new)))
}

fn wait_for_all(door: &Door) {
    let (mut orphans, mut graves): (Vec<Orphan>, Vec<Grave>) = Default::default();
    loop {
        wait_for_any(door, &orphans, graves.is_empty());
        // An empty bell is the usual case: it was a process that ended.
        let _ = rustix::io::read(&door.bell, &mut [0; 8]);
        orphans.append(&mut lock(&door.waiting));
        orphans.retain_mut(Orphan::is_alive);
        // After the orphans, whose end can have dug some.
        graves.append(&mut lock(&door.graves));
        graves.retain(|grave| !grave.is_removed() && Instant::now() < grave.give_up_at);
    }
}

fn wait_for_any(door: &Door, orphans: &[Orphan], no_graves: bool) {
    let handles = orphans.iter().map(|orphan| &orphan.handle);
    let mut watched: Vec<_> =
        [&door.bell].into_iter().chain(handles).map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    let round = (!no_graves).then(|| Instant::now() + ROUND);
    let next = orphans.iter().filter_map(|orphan| orphan.kill_at).chain(round).min();
    let patience = next.map(|at| at.saturating_duration_since(Instant::now()));
    let patience = patience.and_then(|time| Timespec::try_from(time).ok());
    // An interrupted wait only means that everything is looked at once more.
    let _ = poll(&mut watched, patience.as_ref());
}

impl Orphan {
    /// Reaps it when it has ended, and loses patience with it when it is time.
    fn is_alive(&mut self) -> bool {
        let id = WaitId::PidFd(self.handle.as_fd());
        let alive = matches!(waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOHANG), Ok(None));
        if alive && self.kill_at.is_some_and(|at| at <= Instant::now()) {
            self.kill_at = None;
            let _ = pidfd_send_signal(&self.handle, Signal::KILL);
        }
        if !alive && let Some(group) = self.group.take() {
            group.bury();
        }
        alive
    }
}

impl Grave {
    /// Removes it, and groups in it, unless somebody still lives there.
    fn is_removed(&self) -> bool {
        for inner in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(inner.path());
        }
        match fs::remove_dir(&self.path) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
