//! A person's place: a directory of its own, an environment with nothing in it but what is set here, and the commands that
//! are typed there.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use attune_testkit::TestDb;
use serde_json::Value;
use tempfile::TempDir;

use crate::database::Database;
use crate::up::Up;

/// The same on every machine, so that snapshots are.
const WORKERS: [(&str, &str); 4] = [
    ("ATTUNE__SENSOR__WORKER_NAME", "sensor-test"),
    ("ATTUNE__SENSOR__HOST", "test-host"),
    ("ATTUNE__WORKER__WORKER_NAME", "worker-test"),
    ("ATTUNE__WORKER__HOST", "test-host"),
];

pub(crate) struct Home {
    directory: TempDir,
    database_url: Option<String>,
}

impl Home {
    /// Where `attune up` brings its own `PostgreSQL`, whose account must get through: so below /tmp and passable.
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("attune-cli-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o711)).unwrap();
        Self { directory, database_url: None }
    }

    /// Where DATABASE_URL names a database, which is faster.
    pub(crate) fn on(database_url: &str) -> Self {
        Self { database_url: Some(database_url.to_owned()), ..Self::new() }
    }

    /// On a migrated database of its own.
    pub(crate) fn with_database() -> (Self, Database) {
        let database = Database::for_test(TestDb::migrated());
        (Self::on(&database.url), database)
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A file in the data directory, without the line's end.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.data_dir().join(name)).ok()?.trim().to_owned())
    }

    /// A command that knows nothing but PATH, HOME and the names of its workers.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path())
            .envs(WORKERS)
            .envs(self.database_url.iter().map(|url| ("DATABASE_URL", url)))
            .current_dir(self.path())
            .args(arguments);
        command
    }

    /// Types a command that speaks to the `attune up` of this place.
    pub(crate) fn attune(&self, arguments: &[&str]) -> Answer {
        let mut command = self.command(arguments);
        command.arg("--data-dir").arg(self.data_dir());
        self.answer(command)
    }

    /// Types commands one after the other: what the terminal then shows.
    pub(crate) fn terminal(&self, lines: &[&[&str]]) -> String {
        let show = |line: &&[&str]| format!("$ attune {}\n{}\n", quoted(line), self.attune(line));
        lines.iter().map(show).collect()
    }

    /// Types a command and reads its answer as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let answer = self.attune(&[arguments, &["-o", "json"]].concat());
        assert_eq!(answer.code, 0, "{arguments:?}: {answer}");
        serde_json::from_str(&answer.stdout).unwrap()
    }

    /// `attune up` that fails: its last words, without the log.
    pub(crate) fn refused_up(&self, arguments: &[&str]) -> Answer {
        let port = if arguments.contains(&"--port") { &[][..] } else { &["--port", "0"] };
        let mut answer = self.attune(&[&["up"], port, arguments].concat());
        answer.stderr =
            answer.stderr.split_inclusive('\n').skip_while(|line| !line.starts_with("error")).collect();
        answer
    }

    /// Runs a command to its end.
    pub(crate) fn answer(&self, mut command: Command) -> Answer {
        Answer::new(command.output().unwrap(), &self.path().display().to_string())
    }

    /// `attune up`, ready.
    pub(crate) fn up(&self, arguments: &[&str]) -> Up {
        Up::start(self, arguments)
    }
}

fn quoted(arguments: &[&str]) -> String {
    let quoted = |argument: &&str| {
        if argument.contains([' ', '"', '*']) { format!("'{argument}'") } else { (*argument).to_owned() }
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// What a command said, as it is seen at the terminal. Prints without what differs from run to run.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    fn new(output: Output, home: &str) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(home, "[home]");
        Self { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.stdout, self.stderr)?;
        if self.code == 0 { Ok(()) } else { writeln!(f, "[exit code {}]", self.code) }
    }
}

/// Compares with a snapshot after taking out times, ports, pids, config versions, and the ids of workers, which register side by side.
macro_rules! assert_terminal {
    ($($arguments:tt)*) => {
        insta::with_settings!({filters => vec![
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z", "YYYY-MM-DD hh:mm:ssZ"),
            (r"(?m)^ \d   (sensor|worker)-test", " N   $1-test"),
            (r"127\.0\.0\.1:\d{2,}", "127.0.0.1:[port]"),
            (r"port \d+", "port [port]"),
            (r"\d+(\.\d+)? ms", "N ms"),
            (r"config_version( +)\d+", "config_version$1[number]"),
            (r"process \d+", "process [pid]"),
            (r"pid \d+", "pid [pid]"),
            (r"(sensor|worker)-test \d+(\.\d+)+", "$1-test [version]"),
        ], omit_expression => true}, {
            insta::assert_snapshot!($($arguments)*)
        })
    };
}
pub(crate) use assert_terminal;
