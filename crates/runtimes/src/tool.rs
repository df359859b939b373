//! A runtime's row as this machine uses it: read once, asked at every run.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use attune_common::models::Runtime;
use attune_core::pack;
use attune_core::runtime::distributions::{Distributions, Verification};
use attune_core::runtime::execution::{Execution, ExecutionFault, Role};

use crate::resolve::{self, Parts, ResolveError, Search};

/// Why a runtime can not run a piece of code.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ToolError {
    /// Its row is wrong.
    #[error("runtime {runtime} can not be used: {fault}")]
    Fault {
        /// The runtime's ref.
        runtime: String,
        /// What is wrong.
        fault: ExecutionFault,
    },
    /// A path that leads out of the pack, or nowhere.
    #[error("the entrypoint {entrypoint:?} is no path inside of its pack")]
    Outside {
        /// The path as it stands.
        entrypoint: String,
    },
    /// The pack has no such file.
    #[error("the pack has no file {entrypoint}")]
    NoEntrypoint {
        /// The path as it stands.
        entrypoint: String,
    },
    /// There is no command line.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}

/// One runtime, ready to be used.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The runtime's ref.
    pub r#ref: String,
    /// The content of the runtime's own pack, when that was uploaded.
    pub pack_digest: Option<String>,
    execution: Result<Execution, ExecutionFault>,
    commands: Vec<String>,
    verified: Option<PathBuf>,
}

impl Tool {
    /// The tool that a row means, with the binary that verification found.
    pub fn new(row: &Runtime, verified: Option<PathBuf>, pack_digest: Option<String>) -> Self {
        Self {
            r#ref: row.r#ref.clone(),
            pack_digest,
            execution: Execution::parse(&row.execution),
            commands: binaries(&row.distributions),
            verified,
        }
    }

    /// The tool that a pack defines, which no database knows; `verified` as for a row.
    pub fn defined(runtime: &pack::Runtime, verified: Option<PathBuf>) -> Self {
        Self {
            r#ref: runtime.r#ref.clone(),
            pack_digest: None,
            execution: Execution::parse(&runtime.execution),
            commands: binaries(&runtime.distributions),
            verified,
        }
    }

    /// How it runs its code.
    pub fn execution(&self) -> Result<&Execution, ToolError> {
        self.execution
            .as_ref()
            .map_err(|fault| ToolError::Fault { runtime: self.r#ref.clone(), fault: fault.clone() })
    }

    /// The program that runs its code; `None`: the code runs by itself.
    pub fn binary(&self, role: Role, path: &OsStr) -> Result<Option<PathBuf>, ToolError> {
        let commands: Vec<_> = self.commands.iter().map(String::as_str).collect();
        Ok(resolve::find(&Search {
            runtime: &self.r#ref,
            execution: self.execution()?,
            role,
            verified: self.verified.as_deref(),
            commands: &commands,
            path,
        })?)
    }

    /// The command line for the code at `entrypoint` in the directory of its pack.
    pub fn argv(
        &self,
        binary: Option<&Path>,
        runtime_pack: Option<&Path>,
        code: &Path,
        entrypoint: &str,
    ) -> Result<Vec<OsString>, ToolError> {
        let entrypoint = &locate(code, entrypoint)?;
        let (runtime, execution) = (&self.r#ref, self.execution()?);
        Ok(resolve::argv(&Parts { runtime, execution, binary, pack: runtime_pack, entrypoint })?)
    }

    /// The command line of its warm host, which it has.
    pub(crate) fn host_argv(
        &self,
        binary: Option<&Path>,
        runtime_pack: Option<&Path>,
    ) -> Result<Vec<OsString>, ToolError> {
        let argv = self.execution()?.host_argv(binary, runtime_pack);
        let argv =
            argv.map_err(|source| ResolveError::NoPackContent { runtime: self.r#ref.clone(), source })?;
        Ok(argv.unwrap_or_default())
    }
}

/// The binaries of the verification commands, in the order in which they are tried.
fn binaries(distributions: &serde_json::Value) -> Vec<String> {
    match Distributions::parse(distributions).verification {
        Verification::Commands(candidates) => {
            candidates.into_iter().filter_map(|candidate| Some(candidate.command.ok()?.binary)).collect()
        }
        Verification::NotNeeded | Verification::Missing(_) => Vec::new(),
    }
}

/// Rows are written with plain SQL too, so nobody has checked the path before.
pub(crate) fn locate(code: &Path, entrypoint: &str) -> Result<PathBuf, ToolError> {
    let relative = Path::new(entrypoint);
    let is_inside = !entrypoint.is_empty()
        && relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_inside {
        return Err(ToolError::Outside { entrypoint: entrypoint.to_owned() });
    }
    let file = code.join(relative);
    if file.is_file() { Ok(file) } else { Err(ToolError::NoEntrypoint { entrypoint: entrypoint.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entrypoint_is_a_file_of_its_pack() {
        let pack = tempfile::tempdir().unwrap();
        std::fs::create_dir(pack.path().join("sensors")).unwrap();
        std::fs::write(pack.path().join("sensors/a"), "").unwrap();
        assert_eq!(locate(pack.path(), "sensors/a").unwrap(), pack.path().join("sensors/a"));
        for outside in ["", "/etc/passwd", "../a", "sensors/../../a"] {
            assert!(matches!(locate(pack.path(), outside), Err(ToolError::Outside { .. })), "{outside}");
        }
        for absent in ["sensors", "sensors/b"] {
            assert!(matches!(locate(pack.path(), absent), Err(ToolError::NoEntrypoint { .. })), "{absent}");
        }
    }
}
