//! An owner that can be killed: this test binary, started once more with a data directory to hold.

use std::env;
use std::fs;
use std::future;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use attune_localdb::{LocalDb, Options};
use tempfile::TempDir;

const DATA_DIR: &str = "ATTUNE_LOCALDB_HOLD";

/// A directory that every account can pass through, as /var/lib is.
pub(crate) fn open_directory() -> TempDir {
    let directory = tempfile::Builder::new().prefix("attune-localdb-").tempdir_in("/tmp").unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
    directory
}

/// Another process that owns a database.
pub(crate) struct Owner {
    process: Child,
}

impl Owner {
    /// Starts an owner with nothing in its environment, as the account `uid` when one is given.
    pub(crate) fn start(data_dir: &Path, uid: Option<u32>) -> Self {
        let mut command = Command::new(program_for_everybody(data_dir));
        command
            .args(["--exact", "owner::holds_a_database_for_another_test", "--nocapture"])
            .env_clear()
            .env(DATA_DIR, data_dir)
            .stdout(Stdio::piped());
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        Self { process: command.spawn().unwrap() }
    }

    /// Reads the URL that the owner prints when its database is ready.
    pub(crate) fn url(&mut self) -> String {
        let lines = BufReader::new(self.process.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let line = lines.find(|line| line.contains("postgresql://")).expect("the owner's database is ready");
        line[line.find("postgresql://").unwrap()..].to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills the owner with the signal that nothing survives.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The build's directory may be private to root; a copy beside the data directory is not.
fn program_for_everybody(data_dir: &Path) -> PathBuf {
    let copy = data_dir.with_extension("owner");
    if !copy.exists() {
        fs::copy(env::current_exe().unwrap(), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    }
    copy
}

/// No test by itself: does what [`Owner::start`] asks for, and nothing when it is run among the others.
#[tokio::test]
async fn holds_a_database_for_another_test() {
    let Some(data_dir) = env::var_os(DATA_DIR) else { return };
    let database = LocalDb::start(&Options::throwaway(data_dir)).await.unwrap();
    println!("{}", database.url());
    future::pending::<()>().await;
}
