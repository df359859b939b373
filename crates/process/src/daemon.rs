//! A program that Attune itself keeps running beside it, such as its private database.
//!
//! The launcher becomes the program, so the process id is the program's own. It gets its own session, and a signal of
//! the caller's choice when this service dies, however that happens. It is not a sandbox: its descendants are its own
//! business.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use crate::child::{Child, Farewell};
use crate::error::LaunchError;
use crate::order::{self, Order};
use crate::outcome::Outcome;
use crate::pipes::{self, StatusReader};
use crate::protocol::{Report, Step};
use crate::spawner::{self, Start};

/// How long a daemon whose owner dropped it may take to end before it is killed.
const PATIENCE: Duration = Duration::from_mins(1);

/// What to start.
#[derive(Debug)]
pub struct DaemonSpec {
    /// The program, by its absolute path, and its arguments.
    pub argv: Vec<OsString>,
    /// Its whole environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory, which its user must be able to enter.
    pub cwd: PathBuf,
    /// The user and group that it becomes, when this process may do that; supplementary groups are dropped.
    pub uid_gid: Option<(u32, u32)>,
    /// What it gets when this process dies, or when the [`Daemon`] is dropped.
    pub death_signal: i32,
    /// Where its standard output goes.
    pub stdout: File,
    /// Where its standard error goes.
    pub stderr: File,
}

/// A running program. Dropping it sends the death signal and leaves the waiting to a thread of this crate.
pub struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts it, and returns when it has been executed.
    pub async fn start(spec: DaemonSpec) -> Result<Self, LaunchError> {
        let program = PathBuf::from(spec.argv.first().cloned().unwrap_or_default());
        let not_started = |error| order::not_spawned(program.clone(), error);
        let signal = named_signal(spec.death_signal).map_err(not_started)?;
        let argv = write_order(&spec)?;
        let env = order::environment(&spec.env)?;
        let (mut status, status_end) = pipes::status().map_err(not_started)?;
        let stdin = File::open("/dev/null").map_err(not_started)?;
        let streams = [stdin, spec.stdout, spec.stderr].map(OwnedFd::from);
        let descriptors =
            pipes::above_standard(streams.into_iter().chain([status_end])).map_err(not_started)?;
        let farewell = Farewell { signal, patience: PATIENCE };
        let child = spawner::start(Start { argv, env, descriptors, farewell, group: None })
            .await
            .map_err(not_started)?;
        match until_executed(&mut status).await.map_err(not_started)? {
            None => Ok(Self { child }),
            Some((step, errno)) => {
                child.ended().await.map_err(not_started)?;
                Err(order::failed(program, &spec.cwd, step, errno))
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Waits until it has ended: [`Outcome::Exited`] or [`Outcome::Signalled`]. May be asked again, from several
    /// tasks and from any runtime.
    pub async fn exited(&self) -> io::Result<Outcome> {
        self.child.ended().await
    }

    /// Whether and how it has ended, without waiting.
    pub fn try_exited(&self) -> io::Result<Option<Outcome>> {
        self.child.reap()
    }

    /// Sends it a signal; one that has ended is not an error.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        self.child.signal(named_signal(signal)?)
    }
}

fn named_signal(number: i32) -> io::Result<Signal> {
    Signal::from_named_raw(number).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

fn write_order(spec: &DaemonSpec) -> Result<Vec<CString>, LaunchError> {
    let signal = u64::from(spec.death_signal.unsigned_abs());
    let mut order = Order::new("exec", &spec.cwd)?.number("--death-signal", signal)?;
    if let Some((user, group)) = spec.uid_gid {
        order = order.number("--uid", user.into())?.number("--gid", group.into())?;
    }
    order.program(&spec.argv)
}

/// The report's end closes when the program is executed; before that it carries the failure.
async fn until_executed(status: &mut StatusReader) -> io::Result<Option<(Step, i32)>> {
    match status.next().await? {
        Some(Report::Failed { step, errno }) => Ok(Some((step, errno))),
        _ => Ok(None),
    }
}
