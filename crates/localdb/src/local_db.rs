//! The owner's handle on a running cluster.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use attune_process::Outcome;
use attune_process::daemon::Daemon;

use crate::account::Account;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::server::Server;
use crate::{Error, cluster, log, orphan, reach, ready, settings, socket, spawn};

/// Which cluster to run, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the cluster and everything about it lies; created when it is missing.
    pub data_dir: PathBuf,
    /// Whether the cluster survives a crash of the machine. Only tests say no.
    pub durable: bool,
}

impl Options {
    /// A cluster that keeps what it was given.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), durable: true }
    }

    /// A cluster for tests: fast, and worthless after a power failure.
    pub fn throwaway(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), durable: false }
    }
}

/// A running private database, owned by this process.
///
/// Dropping it stops the server without waiting; the next start waits for what is left of it.
pub struct LocalDb {
    layout: Layout,
    account: Option<Account>,
    server: Server,
    durable: bool,
    process: Daemon,
    // Dropped last: whoever gets the lock next may find the server still stopping, but never starting.
    _lock: Lock,
}

impl LocalDb {
    /// Takes possession of the data directory and returns when the database accepts connections.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let layout = Layout::create(&options.data_dir)?;
        let lock = Lock::take(&layout)?;
        let account = Account::choose(&layout.cluster())?;
        reach::check(layout.data_dir(), account.as_ref())?;
        let server = cluster::prepare(&layout, account.as_ref(), options.durable).await?;
        let process = launch(&layout, account.as_ref(), &server, options.durable).await?;
        Ok(Self { layout, account, server, durable: options.durable, process, _lock: lock })
    }

    /// The URL of the database; the same as [`crate::url_of`] its data directory.
    pub fn url(&self) -> String {
        socket::url(&self.layout)
    }

    /// The pid of the server.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Returns when the server has ended, however it came to that.
    pub async fn exited(&self) -> Result<Outcome, Error> {
        spawn::ended(&self.process).await
    }

    /// Starts the server again, after stopping it if it lives; ownership is kept throughout.
    pub async fn restart(&mut self) -> Result<(), Error> {
        spawn::stop(&self.process).await;
        self.process = launch(&self.layout, self.account.as_ref(), &self.server, self.durable).await?;
        Ok(())
    }

    /// Stops the server and gives up the data directory.
    pub async fn stop(self) {
        spawn::stop(&self.process).await;
        socket::remove(&self.layout);
    }

    /// Removes a data directory that nobody owns, with everything that is in it.
    pub async fn destroy(data_dir: &Path) -> Result<(), Error> {
        let layout = Layout::existing(data_dir)?;
        let _lock = Lock::take(&layout)?;
        orphan::kill(&layout.unfinished_cluster()).await?;
        orphan::kill(&layout.cluster()).await?;
        socket::remove(&layout);
        fs::remove_dir_all(layout.data_dir()).map_err(Error::file("remove", layout.data_dir()))
    }
}

impl fmt::Debug for LocalDb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LocalDb")
            .field("data_dir", &self.layout.data_dir())
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

async fn launch(
    layout: &Layout,
    account: Option<&Account>,
    server: &Server,
    durable: bool,
) -> Result<Daemon, Error> {
    let cluster = layout.cluster();
    orphan::stop(&cluster).await?;
    settings::write(layout, durable)?;
    let socket_directory = socket::prepare(layout, account)?;
    let arguments = vec![
        format!("-D{}", cluster.display()),
        format!("--config_file={}", layout.settings().display()),
        format!("--unix_socket_directories={}", socket_directory.display()),
        "--listen_addresses=".to_owned(),
        "--port=5432".to_owned(),
        "--unix_socket_permissions=0700".to_owned(),
    ];
    let process = spawn::start(layout, account, server.postgres(), arguments, &cluster).await?;
    let ready = tokio::select! {
        ready = ready::wait(layout) => ready,
        outcome = spawn::ended(&process) => {
            outcome.and_then(|outcome| Err(Error::Ended { outcome, log: log::tail(layout) }))
        }
    };
    if let Err(error) = ready {
        spawn::stop(&process).await;
        socket::remove(layout);
        return Err(error);
    }
    tracing::info!(pid = process.pid(), version = server.major, "the private database is ready");
    Ok(process)
}
