//! From a claimed execution to a program: its code on this machine, what runs it, and what it is told.

use std::ffi::OsString;

use attune_common::repositories::execution::Claimed;
use attune_core::runtime::execution::Role;
use attune_runtimes::environment::Progress;
use attune_runtimes::equipment::Equipment;
use attune_runtimes::launch::{Launcher, PrepareError, Prepared};

/// Why an attempt did not even start. The words are the execution's error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Its action was deleted.
    #[error("the action does not exist any more")]
    NoAction,
    /// The program could not be started.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
}

impl StartError {
    /// Whether this machine lacks what it is said to have.
    pub(crate) fn is_missing_runtime(&self) -> bool {
        matches!(self, Self::Prepare(error) if error.is_missing_runtime())
    }
}

/// Prepares a claimed execution, once its environment is there; `see` is told of what happens meanwhile.
pub(crate) async fn prepare(
    equipment: &Equipment,
    launcher: &Launcher,
    claimed: &Claimed,
    see: impl FnMut(&Progress) + Send,
) -> Result<Prepared, StartError> {
    let action = claimed.action.as_ref().ok_or(StartError::NoAction)?;
    let code = equipment.code(&claimed.action_ref, action.runtime, claimed.pack_digest.as_deref()).await?;
    let interpreter = launcher.wait(&code, Role::Action, see).await?;
    Ok(launcher.prepare(&code, &interpreter, &action.entrypoint, |_| Ok(variables(claimed, &code.pack)))?)
}

fn variables(claimed: &Claimed, pack: &str) -> Vec<(OsString, OsString)> {
    let given = [
        ("ATTUNE_EXECUTION_ID", claimed.id.to_string()),
        ("ATTUNE_ACTION", claimed.action_ref.clone()),
        ("ATTUNE_PACK", pack.to_owned()),
        ("ATTUNE_RULE", claimed.rule_ref.clone().unwrap_or_default()),
        ("ATTUNE_TRIGGER", claimed.trigger_ref.clone().unwrap_or_default()),
        ("ATTUNE_ATTEMPT", claimed.attempt.to_string()),
    ];
    given.map(|(name, value)| (OsString::from(name), OsString::from(value))).into()
}
