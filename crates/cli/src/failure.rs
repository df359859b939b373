//! What goes wrong at the terminal, and the exit code that says which kind it was.

use std::process::ExitCode;

use crate::output;

/// A failure that has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// 2: the call cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// 3: what was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// 5: it does not answer.
    #[error(
        "the API does not answer at {url}: {cause}\nhint: start it with `attune up`, or name another with --api-url"
    )]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// What the attempt said.
        cause: String,
    },
    /// 5: no address is known.
    #[error(
        "no Attune runs here ({0} names no address)\nhint: start it with `attune up`, or name one with --api-url or --data-dir"
    )]
    NoAddress(String),
    /// 1: the API does not know the token.
    #[error(
        "the token in {token} is not that of the API at {url}\nhint: it is in api.token in the data directory of that API; name it with --data-dir, or set ATTUNE_API_TOKEN"
    )]
    WrongToken {
        /// Where the token was found.
        token: String,
        /// The address that refused it.
        url: String,
    },
    /// 5: something else answers.
    #[error(
        "what listens at {url} runs for another user (uid {uid}), so the token is not sent there\nhint: an `attune up` that was killed leaves its address behind; start it again, or name the API's address and token with --api-url and ATTUNE_API_TOKEN"
    )]
    Stranger {
        /// The address.
        url: String,
        /// The user that listens there.
        uid: u32,
    },
    /// 6: the input was refused.
    #[error("{0}")]
    Refused(String),
    /// 1: anything else that the API says.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::WrongToken { .. } => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Unreachable { .. } | Self::NoAddress(_) | Self::Stranger { .. } => 5,
            Self::Refused(_) => 6,
        }
    }
}

/// Prints a failure with its causes and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    output::note(&format!("error: {error:#}"));
    let code = error.downcast_ref::<Failure>().map_or_else(|| attune_boot::exit_code(error), Failure::code);
    ExitCode::from(code)
}
