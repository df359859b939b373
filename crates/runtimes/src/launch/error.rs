//! Why a piece of code was not even started. The words are what the operator sees as the error of a poll or an execution.

use std::error::Error as _;

use attune_process::LaunchError;

use crate::content::ContentError;
use crate::environment::EnvironmentError;
use crate::requirements::RequirementError;
use crate::resolve::ResolveError;
use crate::tool::ToolError;

/// Why a piece of code was not even started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Nothing says what runs it.
    #[error("it names no runtime")]
    NoRuntime,
    /// This machine lost the runtime.
    #[error("runtime {0} is missing on this machine")]
    RuntimeGone(String),
    /// Nobody uploaded the code.
    #[error("its pack has no content; load the pack with `attune pack load`")]
    NoContent,
    /// The code is not on this machine.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// There is no command line.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// What its pack depends on is not installed.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A command that its pack calls is not here.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// There is no place to run in.
    #[error("can not make a working directory: {0}")]
    WorkingDirectory(#[source] std::io::Error),
    /// The system refused.
    #[error("{error}{}", cause(.error))]
    Launch {
        /// What was attempted.
        #[from]
        error: LaunchError,
    },
}

impl PrepareError {
    /// Whether this machine lacks what it is said to have.
    pub fn is_missing_runtime(&self) -> bool {
        matches!(
            self,
            Self::RuntimeGone(_)
                | Self::Tool(ToolError::Resolve(ResolveError::NoBinary { .. }))
                | Self::Launch { error: LaunchError::NotFound { .. } }
        )
    }

    /// Whether the program had started, and was killed from outside.
    pub fn was_killed(&self) -> bool {
        matches!(self, Self::Launch { error } if error.was_killed())
    }
}

fn cause(error: &LaunchError) -> String {
    error.source().map_or_else(String::new, |source| format!(": {source}"))
}
