//! One verification command: found, run within limits, and judged.
//!
//! There is no shell. The program gets PATH, and HOME because version managers find their versions below it, and nothing
//! else of this process: no other variable, no stdin, no descriptor.

use std::ffi::OsString;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::Duration;

use attune_core::runtime::distributions::{Command, Mismatch};
use attune_core::version::Version;
use attune_process::{
    Capture, Captured, LaunchError, Limits, Outcome, Program, StreamLimit, find_on_path, run,
};

use crate::config::env;

/// A verification command has nothing to put in order before it ends.
const GRACE: Duration = Duration::from_millis(200);

/// What verification commands run under.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    pub(super) path: OsString,
    pub(super) home: Option<OsString>,
    /// How long one may take.
    pub(super) time: Duration,
    /// How many bytes one may print on each stream.
    pub(super) output: usize,
}

/// Why a command does not count.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("it was not found on PATH")]
    NotOnPath,
    #[error("there is no program at this path")]
    NoProgram,
    #[error("it could not be started: {0}")]
    Launch(#[from] LaunchError),
    #[error("it {0}")]
    Ended(Outcome),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

impl Failure {
    /// Whether it was killed from outside, so that the next try may well find otherwise.
    pub(super) fn was_killed(&self) -> bool {
        match self {
            Self::Launch(error) => error.was_killed(),
            Self::Ended(outcome) => outcome.was_killed(),
            // The shims of version managers are shell scripts.
            Self::Mismatch(Mismatch::ExitCode { found, .. }) => Outcome::Exited(*found).was_killed(),
            Self::NotOnPath | Self::NoProgram | Self::Mismatch(Mismatch::Pattern(_)) => false,
        }
    }
}

/// The program that the command means, as an absolute path.
pub(super) fn find(command: &Command, conditions: &Conditions) -> Result<PathBuf, Failure> {
    let missing = if command.binary.contains('/') { Failure::NoProgram } else { Failure::NotOnPath };
    find_on_path(&command.binary, &conditions.path).ok_or(missing)
}

/// Runs the command and says which version it found, as far as its output tells.
pub(super) async fn ask(
    binary: &Path,
    command: &Command,
    conditions: &Conditions,
) -> Result<Option<Version>, Failure> {
    let program = conditions.program(binary, command);
    let mut output = Capture::within(&program.limits);
    let finished = run(program, &mut output, pending()).await?;
    match finished.outcome {
        Outcome::Exited(code) => Ok(command.judge(code, &text(output.stdout), &text(output.stderr))?),
        other => Err(Failure::Ended(other)),
    }
}

impl Conditions {
    fn program(&self, binary: &Path, command: &Command) -> Program {
        let argv = std::iter::once(binary.into()).chain(command.args.iter().map(OsString::from)).collect();
        let home = self.home.iter().map(|home| (env::HOME.into(), home.clone()));
        Program {
            argv,
            env: std::iter::once((env::PATH.into(), self.path.clone())).chain(home).collect(),
            cwd: PathBuf::from("/"),
            stdin: Vec::new(),
            limits: Limits {
                time: self.time,
                grace: GRACE,
                stdout: StreamLimit::kill(self.output),
                stderr: StreamLimit::kill(self.output),
                ..Limits::default()
            },
        }
    }
}

/// Not every program prints UTF-8; what is a pattern to match is.
fn text(stream: Captured) -> String {
    String::from_utf8_lossy(&stream.into_bytes()).into_owned()
}
