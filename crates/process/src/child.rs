//! A process that this crate has started: it is held by descriptor and waited for exactly once.

#![expect(unsafe_code, reason = "registering a descriptor with the runtime is a promise to keep it open")]

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_send_signal, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep};

use crate::group::Group;
use crate::outcome::Outcome;
use crate::protocol::KILL_NOW;
use crate::{reaper, rung};

/// How long the kernel may take to end a killed group, and how often it is looked at.
const STUBBORN: Duration = Duration::from_secs(5);
const ROUND: Duration = Duration::from_millis(1);

/// What becomes of a process whose owner forgets it.
#[derive(Clone, Copy)]
pub(crate) struct Farewell {
    /// The signal that it gets at once.
    pub(crate) signal: Signal,
    /// How long it may take to end before it gets SIGKILL.
    pub(crate) patience: Duration,
}

impl Farewell {
    /// For a launcher that stays: it kills its tree at once, and gives up by itself long before this patience ends.
    pub(crate) fn run() -> Self {
        Self { signal: kill_now(), patience: Duration::from_mins(1) }
    }
}

/// What tells a launcher that stays to kill its tree at once.
fn kill_now() -> Signal {
    Signal::from_named_raw(KILL_NOW).expect("the launcher listens to a signal that has a name")
}

/// A child process, until it is reaped.
pub(crate) struct Child {
    pid: Pid,
    /// `None` only while the value is being dropped.
    handle: Option<OwnedFd>,
    /// How it ended, once it was reaped. Locked while waiting, because a process can be waited for only once.
    ended: Mutex<Option<Outcome>>,
    farewell: Farewell,
    /// Where all that it starts lives.
    group: Option<Group>,
    /// Whether it was told anything, after which its group may have been killed.
    told: AtomicBool,
}

impl Child {
    pub(crate) fn new(pid: Pid, handle: OwnedFd, farewell: Farewell, group: Option<Group>) -> Self {
        let (ended, told) = (Mutex::new(None), AtomicBool::new(false));
        Self { pid, handle: Some(handle), ended, farewell, group, told }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    fn handle(&self) -> &OwnedFd {
        self.handle.as_ref().expect("the handle is taken by nobody but drop")
    }

    /// Sends a signal; one that has ended already needs none.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        self.told.store(true, Ordering::Relaxed);
        match pidfd_send_signal(self.handle(), signal) {
            Err(Errno::SRCH) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Tells a launcher that stays to kill its tree at once, also one that the program has stopped.
    pub(crate) fn kill_tree(&self) -> io::Result<()> {
        self.signal(kill_now())?;
        self.signal(Signal::CONT)
    }

    /// Waits until it has ended, and reaps it. May be called again, by several tasks and in any runtime.
    pub(crate) async fn ended(&self) -> io::Result<Outcome> {
        if let Some(outcome) = self.reap()? {
            return Ok(outcome);
        }
        // Registered anew each time: a registration dies with the runtime that it was made in.
        let handle = self.handle().try_clone()?;
        // SAFETY: the registration owns its copy of the handle, which stays open until the registration is dropped.
        let ready = unsafe { AsyncFd::register_with_interest(handle, Interest::READABLE) }?;
        loop {
            let mut guard = ready.readable().await?;
            if let Some(outcome) = self.reap()? {
                return Ok(outcome);
            }
            guard.clear_ready();
        }
    }

    /// Kills what a launcher left that was killed itself, and waits until that is gone. `false`: nobody knows what it
    /// left.
    pub(crate) async fn clear(&self) -> io::Result<bool> {
        let Some(group) = &self.group else { return Ok(false) };
        group.kill()?;
        self.told.store(true, Ordering::Relaxed);
        let give_up_at = Instant::now() + STUBBORN;
        while !group.is_empty()? {
            if Instant::now() >= give_up_at {
                return Ok(false);
            }
            sleep(ROUND).await;
        }
        Ok(true)
    }

    /// Reaps it when it has ended.
    pub(crate) fn reap(&self) -> io::Result<Option<Outcome>> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            *ended = waitid(WaitId::PidFd(self.handle().as_fd()), options)?.map(|status| decode(&status));
        }
        Ok(*ended)
    }
}

fn decode(status: &WaitIdStatus) -> Outcome {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Outcome::Exited(code),
        (None, signal) => Outcome::Signalled(signal.unwrap_or(0)),
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let group = self.group.take();
        match self.reap() {
            Ok(None) => {
                // It can only fail for one that has just ended, and the reaper finds that out.
                let _ = self.signal(self.farewell.signal);
                if let Some(handle) = self.handle.take() {
                    reaper::adopt(handle, self.farewell.patience, group);
                }
            }
            Ok(Some(Outcome::Exited(0))) if !*self.told.get_mut() => drop(group.map(rung::give_back)),
            _ => drop(group.map(Group::bury)),
        }
    }
}
