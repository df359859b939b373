//! From a program to a launcher that runs it, with all the pipes in between.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::child::{Child, Farewell};
use crate::error::LaunchError;
use crate::inlet::Inlet;
use crate::order::{self, Order};
use crate::outcome::Stream;
use crate::pipes::{self, StatusReader};
use crate::program::{FOREVER, Limits, Program};
use crate::spawner::{self, Start};

/// A started launcher and this side of its pipes.
pub(crate) struct Launched {
    pub(crate) child: Arc<Child>,
    pub(crate) status: StatusReader,
    pub(crate) stdout: Inlet,
    pub(crate) stderr: Inlet,
}

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
pub(crate) async fn launch(program: &Program, stdin: OwnedFd) -> Result<Launched, LaunchError> {
    let argv = write_order(program)?;
    let env = order::environment(&program.env)?;
    start(argv, env, stdin, &program.limits).await.map_err(|error| order::not_spawned(program.path(), error))
}

fn write_order(program: &Program) -> Result<Vec<CString>, LaunchError> {
    let limits = &program.limits;
    let grace = u64::try_from(limits.grace.min(FOREVER).as_millis()).unwrap_or(u64::MAX);
    let mut order = Order::new("run", &program.cwd)?.number("--grace-ms", grace)?;
    if limits.no_new_privileges {
        order = order.flag("--no-new-privs")?;
    }
    for (option, value) in limits.resources.options() {
        order = order.number(option, value)?;
    }
    order.program(&program.argv)
}

async fn start(
    argv: Vec<CString>,
    env: Vec<CString>,
    stdin: OwnedFd,
    limits: &Limits,
) -> io::Result<Launched> {
    let (stdout, stdout_end) = pipes::to_here()?;
    let (stderr, stderr_end) = pipes::to_here()?;
    let (status, status_end) = pipes::status()?;
    let ends: [OwnedFd; 4] = [stdin, stdout_end, stderr_end, status_end];
    let descriptors = pipes::above_standard(ends)?;
    let child = spawner::start(Start { argv, env, descriptors, farewell: Farewell::run() }).await?;
    let (stdout, stderr) = (Inlet::new(stdout, limits.stdout), Inlet::new(stderr, limits.stderr));
    Ok(Launched { child: Arc::new(child), status, stdout, stderr })
}
