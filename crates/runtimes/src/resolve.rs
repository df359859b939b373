//! From a typed row to a command line on this machine.
//!
//! Which program runs is decided in one order: the row's own `binary`, what verification found, the first of the
//! verification's commands that PATH has; when the row names no program at all, the entrypoint itself is one. Failing is
//! named, so that a capability that a worker reported in error is corrected by the first run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use attune_core::runtime::execution::{Execution, NoPackContent, Role};
use attune_process::find_on_path;

/// What decides which program runs.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The runtime's ref, for messages.
    pub runtime: &'a str,
    /// Its typed row.
    pub execution: &'a Execution,
    /// What it is to be used for.
    pub role: Role,
    /// The binary that verification found.
    pub verified: Option<&'a Path>,
    /// The binaries of its verification commands, in their order.
    pub commands: &'a [&'a str],
    /// The PATH of the program's environment.
    pub path: &'a OsStr,
}

/// The parts of a command line.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The runtime's ref, for messages.
    pub runtime: &'a str,
    /// Its typed row.
    pub execution: &'a Execution,
    /// The program, unless the code runs by itself.
    pub binary: Option<&'a Path>,
    /// The content of the runtime's own pack on this machine.
    pub pack: Option<&'a Path>,
    /// The code to run.
    pub entrypoint: &'a Path,
}

/// Why nothing can run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The row forbids this use.
    #[error("runtime {runtime} does not run {what}")]
    WrongRole {
        /// The runtime's ref.
        runtime: String,
        /// What was asked for.
        what: &'static str,
    },
    /// None of the programs is on this machine.
    #[error("runtime {runtime} is missing on this machine: no {} on PATH", tried.join(", no "))]
    NoBinary {
        /// The runtime's ref.
        runtime: String,
        /// Every program that was looked for.
        tried: Vec<String>,
    },
    /// The code is to run by itself, and can not.
    #[error("{entrypoint} is no executable file, and runtime {runtime} runs its code without an interpreter")]
    NotExecutable {
        /// The runtime's ref.
        runtime: String,
        /// The code.
        entrypoint: PathBuf,
    },
    /// The row refers to files of a pack that has none.
    #[error("runtime {runtime}: {source}")]
    NoPackContent {
        /// The runtime's ref.
        runtime: String,
        /// Which reference.
        source: NoPackContent,
    },
}

/// The program that runs the code, by its absolute path; `None`: the code runs by itself.
pub fn find(search: &Search<'_>) -> Result<Option<PathBuf>, ResolveError> {
    if !search.execution.allows(search.role) {
        let (runtime, what) = (search.runtime.to_owned(), plural(search.role));
        return Err(ResolveError::WrongRole { runtime, what });
    }
    let found = |name: &str| find_on_path(name, search.path);
    let named = &search.execution.binary;
    if !named.is_empty() {
        return named.iter().find_map(|name| found(name)).map(Some).ok_or_else(|| missing(search, named));
    }
    // It may have been removed since it was verified.
    if let Some(verified) = search.verified.and_then(|path| found(path.to_str()?)) {
        return Ok(Some(verified));
    }
    if search.commands.is_empty() {
        return Ok(None);
    }
    search
        .commands
        .iter()
        .find_map(|name| found(name))
        .map(Some)
        .ok_or_else(|| missing(search, search.commands))
}

/// The command line; its first part is an absolute path.
pub fn argv(parts: &Parts<'_>) -> Result<Vec<OsString>, ResolveError> {
    let runtime = || parts.runtime.to_owned();
    if parts.binary.is_none() && !is_program(parts.entrypoint) {
        let entrypoint = parts.entrypoint.to_owned();
        return Err(ResolveError::NotExecutable { runtime: runtime(), entrypoint });
    }
    parts
        .execution
        .argv(parts.binary, parts.pack, parts.entrypoint)
        .map_err(|source| ResolveError::NoPackContent { runtime: runtime(), source })
}

/// Whether an absolute path is that of an executable file.
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_absolute() && path.to_str().is_some_and(|path| find_on_path(path, OsStr::new("")).is_some())
}

fn missing(search: &Search<'_>, tried: &[impl AsRef<str>]) -> ResolveError {
    ResolveError::NoBinary {
        runtime: search.runtime.to_owned(),
        tried: tried.iter().map(|name| name.as_ref().to_owned()).collect(),
    }
}

const fn plural(role: Role) -> &'static str {
    match role {
        Role::Action => "actions",
        Role::Sensor => "sensors",
    }
}
