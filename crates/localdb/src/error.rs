//! Everything that can stand between a data directory and a running database, in words that an operator can act on.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_process::{LaunchError, Outcome};

/// Why a private database could not be created, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server program of a sufficient version was found anywhere.
    #[error(
        "PostgreSQL {minimum} or later is not installed{}; install the Debian package `postgresql` (set \
         `create_main_cluster = false` in /etc/postgresql-common/createcluster.conf first to get the programs alone), \
         or name a running database in DATABASE_URL",
        also_found(.too_old)
    )]
    NoServer {
        /// The oldest major version that is good enough.
        minimum: u32,
        /// Major versions that were found and are too old.
        too_old: Vec<u32>,
    },
    /// The cluster was made by a major version of the server that is not installed now.
    #[error(
        "the cluster in {} belongs to PostgreSQL {made_by}, which is not installed (found: {}); install the Debian \
         package `postgresql-{made_by}`, or move the cluster to the new version with pg_upgrade",
        .cluster.display(), listed(.installed)
    )]
    OtherVersion {
        /// The cluster's directory.
        cluster: PathBuf,
        /// Its major version.
        made_by: u32,
        /// Major versions that are installed.
        installed: Vec<u32>,
    },
    /// Something that is not a cluster occupies the cluster's place.
    #[error("{} is no PostgreSQL cluster; move it away or choose another data directory", .0.display())]
    NotACluster(PathBuf),
    /// Another process owns the data directory.
    #[error(
        "the data directory {} is in use by {}; stop that process or choose another data directory",
        .data_dir.display(), owner(*.pid)
    )]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// Its owner, as far as the lock file tells.
        pid: Option<u32>,
    },
    /// Root may not run the server, and no account was found that may.
    #[error("PostgreSQL refuses to run as root, and none of the accounts {} exists", .0.join(", "))]
    NoAccount(Vec<&'static str>),
    /// The account that runs the server cannot get to the data directory.
    #[error(
        "the account `{account}`, which runs PostgreSQL, cannot reach {} because {} does not let it pass; run \
         `chmod o+x {}` or choose another data directory",
        .data_dir.display(), .blocked_by.display(), .blocked_by.display()
    )]
    Unreachable {
        /// The data directory.
        data_dir: PathBuf,
        /// The first directory on the way that blocks.
        blocked_by: PathBuf,
        /// The account that is blocked.
        account: String,
    },
    /// The directory of the socket exists and is not safe to use.
    #[error("the socket directory {} {fault}; remove it and start again", .directory.display())]
    UnsafeSocketDirectory {
        /// The directory.
        directory: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A file or directory could not be used.
    #[error("cannot {attempted} {}", .path.display())]
    File {
        /// What was attempted, as a verb.
        attempted: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A program of the server could not be started at all.
    #[error("cannot start {}", .program.display())]
    Launch {
        /// The program.
        program: PathBuf,
        /// Why it failed.
        source: LaunchError,
    },
    /// The end of a program of the server could not be observed.
    #[error("cannot wait for the database server")]
    Wait(#[source] io::Error),
    /// `initdb` ended without a cluster.
    #[error("cannot initialise a cluster: initdb {outcome}{}", said(.log))]
    InitFailed {
        /// How it ended.
        outcome: Outcome,
        /// The last that it said.
        log: String,
    },
    /// The server ended before it accepted connections.
    #[error("the database server ended before it was ready: it {outcome}{}", said(.log))]
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// The last that it said.
        log: String,
    },
    /// The server lives but does not accept connections.
    #[error("the database server was not ready within {} s{}", .limit.as_secs(), said(.log))]
    NotReady {
        /// How long it had.
        limit: Duration,
        /// The last that it said.
        log: String,
    },
    /// The server answered a connection with an error that waiting does not cure.
    #[error("the database server refused: {message} (SQLSTATE {code})")]
    Refused {
        /// SQLSTATE.
        code: String,
        /// The server's words.
        message: String,
    },
    /// A server without an owner withstood every signal.
    #[error("cannot stop process {pid}, a server that an earlier owner left behind in {}", .cluster.display())]
    OrphanStays {
        /// The process.
        pid: i32,
        /// The cluster that it keeps busy.
        cluster: PathBuf,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(attempted: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { attempted, path, source }
    }
}

fn also_found(too_old: &[u32]) -> String {
    if too_old.is_empty() { String::new() } else { format!(" (found only {})", listed(too_old)) }
}

fn listed(versions: &[u32]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

fn said(log: &str) -> String {
    let mut text = String::new();
    for line in log.lines() {
        let _ = write!(text, "\n  {line}");
    }
    text
}
