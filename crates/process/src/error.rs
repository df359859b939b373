//! Why a program could not be started. What happens to one that runs is an [`Outcome`](crate::Outcome), not an error.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::sandbox::Level;

/// A program that did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The caller gave no program, or not by an absolute path.
    #[error("the program must be an absolute path, not {0:?}")]
    NotAbsolute(OsString),
    /// An argument, a variable or the directory holds a NUL, or a variable's name cannot be one.
    #[error("{what} cannot be handed to a program: {value:?}")]
    Unrepresentable {
        /// Which part of the order.
        what: &'static str,
        /// The part itself; of a variable only its name.
        value: OsString,
    },
    /// There is no such file.
    #[error("program {} does not exist", program.display())]
    NotFound {
        /// The program.
        program: PathBuf,
    },
    /// The file is there, but the interpreter named in its first line, or its loader, is not.
    #[error("the interpreter that {} names does not exist", program.display())]
    InterpreterNotFound {
        /// The program.
        program: PathBuf,
    },
    /// The file is a directory, is not executable, or cannot be reached.
    #[error("program {} may not be executed", program.display())]
    Denied {
        /// The program.
        program: PathBuf,
        /// The error of the exec.
        source: io::Error,
    },
    /// The file is neither a binary of this machine nor a script that names its interpreter.
    #[error("program {} is in no executable format; a script needs a first line that names its interpreter", program.display())]
    NotAProgram {
        /// The program.
        program: PathBuf,
    },
    /// Arguments and environment together are too large for the system.
    #[error("the arguments and environment of {} are too large", program.display())]
    TooLarge {
        /// The program.
        program: PathBuf,
    },
    /// This host cannot confine a program as it was demanded.
    #[error("this host cannot run a program in the sandbox {:?}: {reason}", level.as_str())]
    Sandbox {
        /// What was demanded.
        level: Level,
        /// What a trial showed.
        reason: String,
    },
    /// The working directory cannot be entered.
    #[error("cannot enter the working directory {}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something else went wrong before the program ran.
    #[error("cannot start {}: {step} failed", program.display())]
    Step {
        /// The program.
        program: PathBuf,
        /// What was attempted, in words.
        step: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The launcher was killed by somebody else while the program ran. The program itself died with it; what it had
    /// started did so too when it had a cgroup or a namespace of its own.
    #[error("the launcher of {} was killed; {}", program.display(), if *all_killed { "all that the program had started was killed too" } else { "processes that the program started may be left" })]
    LauncherLost {
        /// The program.
        program: PathBuf,
        /// Whether nothing can be left.
        all_killed: bool,
    },
}

impl LaunchError {
    /// Whether the program had started, and was killed from outside.
    pub fn was_killed(&self) -> bool {
        matches!(self, Self::LauncherLost { .. })
    }
}
