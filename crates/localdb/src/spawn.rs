//! How the server's programs are started.

use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_process::Outcome;
use attune_process::daemon::{Daemon, DaemonSpec};
use rustix::process::Signal;
use tokio::time::timeout;

use crate::account::Account;
use crate::layout::Layout;
use crate::{Error, log};

/// Fast shutdown, immediate shutdown, and what nothing withstands; each with the time it gets.
const LADDER: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(10)),
];

/// Starts `program`, which dies with this process.
///
/// It gets nothing of this process's environment: an inherited locale would decide about the cluster, and an inherited
/// `PG…` variable about where it listens.
pub(crate) async fn start(
    layout: &Layout,
    account: Option<&Account>,
    program: PathBuf,
    arguments: Vec<String>,
    directory: &Path,
) -> Result<Daemon, Error> {
    let log = log::open(layout)?;
    let stderr = log.try_clone().map_err(Error::file("open", &layout.log()))?;
    let mut argv = vec![program.clone().into_os_string()];
    argv.extend(arguments.into_iter().map(Into::into));
    let spec = DaemonSpec {
        argv,
        env: vec![
            ("LC_ALL".into(), "C.UTF-8".into()),
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("TZ".into(), "UTC".into()),
        ],
        cwd: directory.to_owned(),
        uid_gid: account.map(|account| (account.uid, account.gid)),
        death_signal: Signal::INT.as_raw(),
        stdout: log,
        stderr,
    };
    Daemon::start(spec).await.map_err(|source| Error::Launch { program, source })
}

/// Waits until a program has ended.
pub(crate) async fn ended(program: &Daemon) -> Result<Outcome, Error> {
    program.exited().await.map_err(Error::Wait)
}

/// Stops the server, as cleanly as it lets itself be stopped.
///
/// A failure is logged here: whoever stops a server has nothing better to do with it, and the next owner of the cluster
/// stops what is left.
pub(crate) async fn stop(server: &Daemon) {
    for (signal, limit) in LADDER {
        if let Err(error) = server.signal(signal.as_raw()) {
            tracing::warn!(pid = server.pid(), ?signal, %error, "cannot signal the database server");
        }
        if timeout(limit, server.exited()).await.is_ok() {
            return;
        }
        tracing::warn!(pid = server.pid(), ?signal, "the database server does not stop");
    }
}
