//! From a program to a launcher that runs it, with all the pipes in between.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use crate::child::{Child, Farewell};
use crate::error::LaunchError;
use crate::group::Group;
use crate::inlet::Inlet;
use crate::order::{self, Order};
use crate::outcome::Stream;
use crate::pipes::{self, StatusReader};
use crate::program::{FOREVER, Limits, Program};
use crate::sandbox::Level;
use crate::spawner::{self, Start};

/// A started launcher and this side of its pipes.
pub(crate) struct Launched {
    pub(crate) child: Arc<Child>,
    pub(crate) status: StatusReader,
    pub(crate) stdout: Inlet,
    pub(crate) stderr: Inlet,
}

/// The places that a sandbox covers; what lies elsewhere is visible anyway.
const COVERED: [&str; 2] = ["/tmp", "/dev"];

impl Launched {
    pub(crate) fn inlet(&mut self, stream: Stream) -> &mut Inlet {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// Starts a launcher for the program, which reads `stdin`. That the program itself could not be started is learnt from
/// its report.
pub(crate) async fn launch(
    program: &Program,
    stdin: OwnedFd,
    group: Option<Group>,
) -> Result<Launched, LaunchError> {
    let argv = write_order(program, group.is_some())?;
    let env = order::environment(&program.env)?;
    start(argv, env, stdin, group, &program.limits)
        .await
        .map_err(|error| order::not_spawned(program.path(), error))
}

fn write_order(program: &Program, grouped: bool) -> Result<Vec<CString>, LaunchError> {
    let limits = &program.limits;
    let grace = u64::try_from(limits.grace.min(FOREVER).as_millis()).unwrap_or(u64::MAX);
    let mut order = Order::new("run", &program.cwd)?.number("--grace-ms", grace)?;
    if grouped {
        order = order.flag("--group")?;
    }
    if limits.no_new_privileges {
        order = order.flag("--no-new-privs")?;
    }
    for (option, value) in limits.resources.options() {
        order = order.number(option, value)?;
    }
    confine(order, limits)?.program(&program.argv)
}

fn confine(order: Order, limits: &Limits) -> Result<Order, LaunchError> {
    let order = match limits.sandbox {
        Level::None | Level::Process => return Ok(order),
        Level::Namespace => order.flag("--sandbox=namespace")?,
        Level::Strict => order.flag("--sandbox=strict")?,
    };
    let covered = |path: &&PathBuf| COVERED.iter().any(|place| path.starts_with(place));
    limits.visible.iter().filter(covered).try_fold(order, |order, path| order.directory("--visible", path))
}

async fn start(
    argv: Vec<CString>,
    env: Vec<CString>,
    stdin: OwnedFd,
    group: Option<Group>,
    limits: &Limits,
) -> io::Result<Launched> {
    let (stdout, stdout_end) = pipes::to_here()?;
    let (stderr, stderr_end) = pipes::to_here()?;
    let (status, status_end) = pipes::status()?;
    let group_end = group.as_ref().map(Group::descriptor).transpose()?;
    let ends = [stdin, stdout_end, stderr_end, status_end].into_iter().chain(group_end);
    let descriptors = pipes::above_standard(ends)?;
    let child = spawner::start(Start { argv, env, descriptors, farewell: Farewell::run(), group }).await?;
    let (stdout, stderr) = (Inlet::new(stdout, limits.stdout), Inlet::new(stderr, limits.stderr));
    Ok(Launched { child: Arc::new(child), status, stdout, stderr })
}
