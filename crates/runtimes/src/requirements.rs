//! The commands of the system that packs require, looked for on this machine.
//!
//! Whether a command is there is asked before each run and never remembered, so that a run works as soon as somebody has
//! installed what it lacked; a pack that requires nothing is not looked for at all. The columns are read again whenever the
//! configuration changes. One that can not be read keeps its own pack from running, and no other.

use std::collections::HashMap;

use attune_core::pack::{Requirement, RequirementFault};
use attune_process::find_on_path;
use serde_json::Value;

use crate::variables::{of_this_process, path};

/// Why the code of a pack can not run here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// This machine lacks a command.
    #[error(
        "pack {pack} requires the command `{}`, which is not on PATH of this machine ({host}){}",
        requirement.command,
        requirement.advice()
    )]
    Missing {
        /// The pack's ref.
        pack: String,
        /// What it requires.
        requirement: Requirement,
        /// The machine's name.
        host: String,
    },
    /// What the pack requires can not be read from its row.
    #[error("the row of pack {pack} is wrong: {fault}")]
    Fault {
        /// The pack's ref.
        pack: String,
        /// What is wrong.
        fault: RequirementFault,
    },
}

/// What each pack requires, for those that require anything.
#[derive(Debug)]
pub(crate) struct Requirements(HashMap<String, Result<Vec<Requirement>, Vec<RequirementFault>>>);

impl Requirements {
    /// As the columns say, by the pack's ref.
    pub(crate) fn of_rows(rows: Vec<(String, Value)>) -> Self {
        Self(rows.into_iter().map(|(pack, column)| (pack, Requirement::parse_all(&column))).collect())
    }

    /// Everything that keeps a pack's code from running on this machine, which is called `host`.
    pub(crate) fn unmet(&self, pack: &str, host: &str) -> Vec<RequirementError> {
        let pack_ref = || pack.to_owned();
        match self.0.get(pack) {
            None => Vec::new(),
            Some(Ok(requirements)) => missing(requirements)
                .cloned()
                .map(|requirement| RequirementError::Missing {
                    pack: pack_ref(),
                    requirement,
                    host: host.to_owned(),
                })
                .collect(),
            Some(Err(faults)) => faults
                .iter()
                .cloned()
                .map(|fault| RequirementError::Fault { pack: pack_ref(), fault })
                .collect(),
        }
    }
}

/// Those that are not on the PATH that programs get here.
pub fn missing(requirements: &[Requirement]) -> impl Iterator<Item = &Requirement> {
    let path = path(of_this_process);
    requirements.iter().filter(move |requirement| find_on_path(&requirement.command, &path).is_none())
}
