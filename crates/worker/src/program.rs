//! From a claimed execution to a program: its code on this machine, what runs it, and what it is told.

use std::collections::BTreeMap;

use attune_common::repositories::execution::{ActionPlan, Claimed};
use attune_core::runtime::execution::Role;
use attune_process::Level;
use attune_runtimes::confinement::Confinement;
use attune_runtimes::environment::Progress;
use attune_runtimes::equipment::Equipment;
use attune_runtimes::launch::{Code, Interpreter, Launcher, PrepareError, Prepared};
use attune_runtimes::pass::Pass;

use crate::pass;

/// Why an attempt did not even start. The words are the execution's error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Its action was deleted.
    #[error("the action does not exist any more")]
    NoAction,
    /// Its row, or that of its action, cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// What its action says of its confinement cannot be used.
    #[error("{0}")]
    Confinement(String),
    /// What its action asks of the API cannot be given.
    #[error("{0}")]
    Api(String),
    /// It was declared lost meanwhile.
    #[error("the attempt was declared lost before it began")]
    Lost,
    /// Its token could not be kept.
    #[error("the token of the run cannot be stored: {0}")]
    Token(#[source] sqlx::Error),
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

/// The code of a claimed execution, and what runs it.
pub(crate) struct Found {
    pub(crate) code: Code,
    pub(crate) interpreter: Interpreter,
    pub(crate) action: ActionPlan,
}

/// Finds what runs a claimed execution, once its environment is there; `see` is told of what happens meanwhile.
pub(crate) async fn find(
    equipment: &Equipment,
    launcher: &Launcher,
    claimed: &Claimed,
    see: impl FnMut(&Progress) + Send,
) -> Result<Found, StartError> {
    let action = claimed.action.clone().ok_or(StartError::NoAction)?;
    if let Some(reason) = &claimed.fault {
        return Err(StartError::Unreadable(reason.clone()));
    }
    let code = equipment.code(&claimed.action_ref, action.runtime, claimed.pack_digest.as_deref()).await?;
    let interpreter = launcher.wait(&code, Role::Action, see).await?;
    Ok(Found { code, interpreter, action })
}

/// A process of its own for a claimed execution.
pub(crate) fn prepare(
    launcher: &Launcher,
    found: &Found,
    claimed: &Claimed,
    pass: Option<&Pass>,
) -> Result<Prepared, PrepareError> {
    let Found { code, interpreter, action } = found;
    let given = variables(claimed, &code.pack).into_iter().map(|(name, value)| (name.into(), value.into()));
    launcher.prepare(code, interpreter, &action.entrypoint, |directory| {
        let pass = pass.map(|pass| pass::write(pass, directory)).transpose()?;
        Ok(given.chain(pass).collect())
    })
}

/// How far a claimed execution is confined: not at all unless its action demands it, because actions may need every right
/// that this service has.
pub(crate) fn confinement(claimed: &Claimed) -> Result<Confinement, StartError> {
    let Some(action) = &claimed.action else { return Ok(Confinement::at(Level::None)) };
    Confinement::read(action.sandbox.as_deref(), &action.limits, Level::None).map_err(StartError::Confinement)
}

/// What a run finds in its environment.
pub(crate) fn variables(claimed: &Claimed, pack: &str) -> BTreeMap<String, String> {
    [
        ("ATTUNE_EXECUTION_ID", claimed.id.to_string()),
        ("ATTUNE_ACTION", claimed.action_ref.clone()),
        ("ATTUNE_PACK", pack.to_owned()),
        ("ATTUNE_RULE", claimed.rule_ref.clone().unwrap_or_default()),
        ("ATTUNE_TRIGGER", claimed.trigger_ref.clone().unwrap_or_default()),
        ("ATTUNE_ATTEMPT", claimed.attempt.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
