//! The thread that waits for processes whose owners were dropped before they ended.
//!
//! They have been told to end already. Each gets its patience, then SIGKILL; so every one of them ends, and none stays
//! as a zombie, whatever happened to the task or the runtime that started it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};

/// A process that nobody else waits for.
struct Orphan {
    handle: OwnedFd,
    kill_at: Option<Instant>,
}

/// Where orphans wait until the thread takes them over.
struct Door {
    bell: OwnedFd,
    waiting: Mutex<Vec<Orphan>>,
}

/// Takes over a process that was told to end.
pub(crate) fn adopt(handle: OwnedFd, patience: Duration) {
    match door() {
        Ok(door) => {
            let orphan = Orphan { handle, kill_at: Some(Instant::now() + patience) };
            door.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(orphan);
            // The counter would have to overflow for this to fail, and then the bell is ringing anyway.
            let _ = rustix::io::write(&door.bell, &1_u64.to_ne_bytes());
        }
        Err(error) => {
            tracing::error!(%error, "cannot wait for an abandoned process; it stays until this service ends");
        }
    }
}

/// The thread's door; the first orphan builds it. A failure is not remembered, the next one tries again.
fn door() -> io::Result<Arc<Door>> {
    static DOOR: Mutex<Option<Arc<Door>>> = Mutex::new(None);
    let mut door = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(door) = &*door {
        return Ok(Arc::clone(door));
    }
    let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let new = Arc::new(Door { bell, waiting: Mutex::default() });
    let inside = Arc::clone(&new);
    thread::Builder::new().name("attune-reaper".into()).spawn(move || wait_for_all(&inside))?;
    Ok(Arc::clone(door.insert(new)))
}

fn wait_for_all(door: &Door) {
    let mut orphans: Vec<Orphan> = Vec::new();
    loop {
        wait_for_any(door, &orphans);
        // An empty bell is the usual case: it was a process that ended.
        let _ = rustix::io::read(&door.bell, &mut [0; 8]);
        orphans.append(&mut door.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        orphans.retain_mut(Orphan::is_alive);
    }
}

fn wait_for_any(door: &Door, orphans: &[Orphan]) {
    let handles = orphans.iter().map(|orphan| &orphan.handle);
    let mut watched: Vec<_> =
        [&door.bell].into_iter().chain(handles).map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    let next = orphans.iter().filter_map(|orphan| orphan.kill_at).min();
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
        alive
    }
}
