//! From a typed row to a command line on this machine.
//!
//! Which program runs is decided in one order: the row's own `binary`, what verification found, the first of the
//! verification's commands that PATH has; when the row names no program at all, the entrypoint itself is one. Failing is
//! named, so that a capability that a worker reported in error is corrected by the first run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use attune_core::runtime::execution::{Execution, NoPackContent, Role};
use attune_process::find_on_path;

/// What a run needs to become a command line.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
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

/// The command line; its first part is an absolute path.
pub fn resolve(request: &Request<'_>) -> Result<Vec<OsString>, ResolveError> {
    let runtime = || request.runtime.to_owned();
    if !request.execution.allows(request.role) {
        return Err(ResolveError::WrongRole { runtime: runtime(), what: plural(request.role) });
    }
    let binary = binary(request)?;
    if binary.is_none() && on_path(request.entrypoint, request).is_none() {
        return Err(ResolveError::NotExecutable {
            runtime: runtime(),
            entrypoint: request.entrypoint.to_owned(),
        });
    }
    request
        .execution
        .argv(binary.as_deref(), request.pack, request.entrypoint)
        .map_err(|source| ResolveError::NoPackContent { runtime: runtime(), source })
}

fn binary(request: &Request<'_>) -> Result<Option<PathBuf>, ResolveError> {
    let found = |name: &str| find_on_path(name, request.path);
    let named = &request.execution.binary;
    if !named.is_empty() {
        return named.iter().find_map(|name| found(name)).map(Some).ok_or_else(|| missing(request, named));
    }
    // It may have been removed since it was verified.
    if let Some(verified) = request.verified.and_then(|path| on_path(path, request)) {
        return Ok(Some(verified));
    }
    if request.commands.is_empty() {
        return Ok(None);
    }
    request
        .commands
        .iter()
        .find_map(|name| found(name))
        .map(Some)
        .ok_or_else(|| missing(request, request.commands))
}

/// A path that is absolute and still executable.
fn on_path(path: &Path, request: &Request<'_>) -> Option<PathBuf> {
    find_on_path(path.to_str()?, request.path)
}

fn missing(request: &Request<'_>, tried: &[impl AsRef<str>]) -> ResolveError {
    ResolveError::NoBinary {
        runtime: request.runtime.to_owned(),
        tried: tried.iter().map(|name| name.as_ref().to_owned()).collect(),
    }
}

const fn plural(role: Role) -> &'static str {
    match role {
        Role::Action => "actions",
        Role::Sensor => "sensors",
    }
}
