//! What to run, and within which bounds.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::sandbox::Level;

/// The longest time that is counted: any beyond it would be beyond what clocks can add up, and means "no limit".
pub(crate) const FOREVER: Duration = Duration::from_hours(24 * 365);

/// A program to be run once. It sees what is stated here and nothing else of this process.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program, by its absolute path, and its arguments.
    pub argv: Vec<OsString>,
    /// Its whole environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub cwd: PathBuf,
    /// What it reads from standard input, which then ends. It need not read it.
    pub stdin: Vec<u8>,
    /// Its bounds.
    pub limits: Limits,
}

impl Program {
    /// The program itself, for what is said about it.
    pub(crate) fn path(&self) -> PathBuf {
        self.argv.first().cloned().unwrap_or_default().into()
    }
}

/// The bounds of a run. Every one of them is on by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the program may run.
    pub time: Duration,
    /// How long it may take to end after SIGTERM, before SIGKILL.
    pub grace: Duration,
    /// How long processes that it left behind may go on writing after it has exited, before they are killed.
    pub drain: Duration,
    /// What it may write to standard output.
    pub stdout: StreamLimit,
    /// What it may write to standard error.
    pub stderr: StreamLimit,
    /// What each of its processes may take from the system.
    pub resources: Resources,
    /// Whether programs that would gain privileges by being executed (sudo, for one) are kept from it.
    pub no_new_privileges: bool,
    /// What it sees of the system; [`Limits::confine`] sets this together with what belongs to it.
    pub sandbox: Level,
    /// Directories that it needs, and that a sandbox must not cover. At most eight.
    pub visible: Vec<PathBuf>,
    /// Whether it gets a cgroup of its own where this host offers that.
    pub grouped: bool,
}

/// Limits that no honest sensor meets: how many files it holds open, and how large it makes one.
const OPEN_FILES: u64 = 4096;
const FILE_BYTES: u64 = 1 << 30;

impl Limits {
    /// Confines a program to this level. Limits that were set before stay as they are.
    pub fn confine(&mut self, level: Level) {
        self.sandbox = level;
        if level >= Level::Process {
            self.no_new_privileges = true;
            let Resources { core_bytes, open_files, file_bytes, .. } = &mut self.resources;
            core_bytes.get_or_insert(0);
            open_files.get_or_insert(OPEN_FILES);
            file_bytes.get_or_insert(FILE_BYTES);
        }
    }
}

impl Default for Limits {
    /// 30 seconds, 10 MB of standard output, the two ends of standard error.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            grace: Duration::from_secs(2),
            drain: Duration::from_millis(500),
            stdout: StreamLimit::kill(10_000_000),
            stderr: StreamLimit::truncate(256 * 1024),
            resources: Resources::default(),
            no_new_privileges: false,
            sandbox: Level::None,
            visible: Vec::new(),
            grouped: true,
        }
    }
}

/// The bound of one output stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimit {
    /// How many bytes are expected at most.
    pub bytes: usize,
    /// What happens to a program that writes more.
    pub on_overflow: OnOverflow,
}

impl StreamLimit {
    /// A program that writes more is ended; no byte beyond the limit is passed on.
    pub fn kill(bytes: usize) -> Self {
        Self { bytes, on_overflow: OnOverflow::Kill }
    }

    /// A program may write more, and all of it is passed on; a [`Capture`](crate::Capture) keeps the two ends.
    pub fn truncate(bytes: usize) -> Self {
        Self { bytes, on_overflow: OnOverflow::Truncate }
    }
}

/// What happens when a program writes more than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOverflow {
    /// The run ends as [`Outcome::OutputLimit`](crate::Outcome::OutputLimit).
    Kill,
    /// The run goes on; what is kept is up to the [`Output`](crate::Output).
    Truncate,
}

/// What a program may take. Memory and processes are those of the whole tree; the others the kernel keeps for each process
/// by itself. `None` leaves a limit as this process has it; a value above that means the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Processor time in seconds.
    pub cpu_seconds: Option<u64>,
    /// The size of a file that it writes, in bytes.
    pub file_bytes: Option<u64>,
    /// How many processes it may be, itself included.
    pub processes: Option<u64>,
    /// Open descriptors.
    pub open_files: Option<u64>,
    /// Private memory of the program and all that it started, in bytes.
    pub memory_bytes: Option<u64>,
    /// The size of what a crash leaves, in bytes.
    pub core_bytes: Option<u64>,
}

impl Resources {
    /// The limits that are set, each with the option by which the launcher knows it.
    pub(crate) fn options(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("--limit-cpu", self.cpu_seconds),
            ("--limit-fsize", self.file_bytes),
            ("--limit-nofile", self.open_files),
            ("--limit-core", self.core_bytes),
        ]
        .into_iter()
        .filter_map(|(option, value)| Some((option, value?)))
    }
}
