//! From a claimed execution to a program: its content on this machine, its command line, its environment.

use std::ffi::OsString;
use std::path::PathBuf;

use attune_common::repositories::execution::{ActionPlan, Claimed};
use attune_core::runtime::execution::Role;
use attune_process::LaunchError;
use attune_runtimes::content::ContentError;
use attune_runtimes::equipment::Equipment;
use attune_runtimes::resolve::ResolveError;
use attune_runtimes::tool::{Places, Tool, ToolError};
use attune_runtimes::variables;

/// Why an attempt did not even start. The words are the execution's error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Its action was deleted.
    #[error("the action does not exist any more")]
    NoAction,
    /// Nothing says what runs it.
    #[error("the action names no runtime")]
    NoRuntime,
    /// The machine lost the runtime since the claim.
    #[error("the action's runtime is missing on this machine")]
    RuntimeGone,
    /// Nobody uploaded the code.
    #[error("the action's pack has no content; load the pack with `attune pack load`")]
    NoContent,
    /// The code is not on this machine.
    #[error("{0}")]
    Content(#[from] ContentError),
    /// There is no command line.
    #[error("{0}")]
    Tool(#[from] ToolError),
    /// There is no place to run in.
    #[error("can not make a working directory: {0}")]
    WorkingDirectory(#[source] std::io::Error),
    /// The system refused.
    #[error("{error}{}", cause(.error))]
    Launch {
        /// What was attempted.
        #[source]
        error: LaunchError,
    },
}

impl StartError {
    /// Whether this machine lacks what it is said to have.
    pub(crate) fn is_missing_runtime(&self) -> bool {
        matches!(
            self,
            Self::RuntimeGone
                | Self::Tool(ToolError::Resolve(ResolveError::NoBinary { .. }))
                | Self::Launch { error: LaunchError::NotFound { .. } }
        )
    }
}

fn cause(error: &LaunchError) -> String {
    std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"))
}

/// A command line and its environment.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) argv: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
}

/// Prepares a claimed execution to run in `directory`.
pub(crate) async fn prepare(
    equipment: &Equipment,
    claimed: &Claimed,
    directory: &std::path::Path,
) -> Result<Prepared, StartError> {
    let action = claimed.action.as_ref().ok_or(StartError::NoAction)?;
    let inventory = equipment.inventory();
    let tool = inventory.tool(action.runtime.ok_or(StartError::NoRuntime)?).ok_or(StartError::RuntimeGone)?;
    let code = equipment.pack(claimed.pack_digest.as_deref().ok_or(StartError::NoContent)?).await?;
    let runtime_pack = runtime_pack(equipment, tool).await?;
    let env = environment(tool, claimed, directory)?;
    let places = Places {
        code: &code,
        entrypoint: entrypoint(action),
        runtime_pack: runtime_pack.as_deref(),
        path: variables::path_of(&env),
    };
    Ok(Prepared { argv: tool.argv(Role::Action, &places)?, env })
}

fn entrypoint(action: &ActionPlan) -> &str {
    &action.entrypoint
}

async fn runtime_pack(equipment: &Equipment, tool: &Tool) -> Result<Option<PathBuf>, StartError> {
    match (&tool.pack_digest, tool.execution()?.needs_pack()) {
        (Some(digest), true) => Ok(Some(equipment.pack(digest).await?)),
        _ => Ok(None),
    }
}

fn environment(
    tool: &Tool,
    claimed: &Claimed,
    directory: &std::path::Path,
) -> Result<Vec<(OsString, OsString)>, ToolError> {
    let pack = claimed.action_ref.split('.').next().unwrap_or_default();
    let given = [
        ("ATTUNE_EXECUTION_ID", claimed.id.to_string()),
        ("ATTUNE_ACTION", claimed.action_ref.clone()),
        ("ATTUNE_PACK", pack.to_owned()),
        ("ATTUNE_RULE", claimed.rule_ref.clone().unwrap_or_default()),
        ("ATTUNE_TRIGGER", claimed.trigger_ref.clone().unwrap_or_default()),
        ("ATTUNE_ATTEMPT", claimed.attempt.to_string()),
    ];
    let given = given.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let allowed = &tool.execution()?.env_allow;
    Ok(variables::variables(variables::of_this_process, allowed, directory, given))
}
