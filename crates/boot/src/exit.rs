//! Exit codes: 0 well, 1 failed, 2 the configuration or the call is wrong, 4 another process holds this worker's name.

use std::process::ExitCode;

use attune_common::{config, db, registration};

/// The code that tells a supervisor or a script what kind of failure this was.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let mut chain = error.chain();
    chain.find_map(code_of).unwrap_or(1)
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    let is_unconfigured = matches!(cause.downcast_ref(), Some(db::Error::NoUrl));
    if is_unconfigured || cause.is::<config::ConfigError>() {
        return Some(2);
    }
    match cause.downcast_ref::<registration::Error>()? {
        registration::Error::Namesake { .. } | registration::Error::Superseded { .. } => Some(4),
        registration::Error::NotRegistered { .. }
        | registration::Error::NoIdentity(_)
        | registration::Error::Database { .. } => Some(1),
    }
}

/// Prints a failure with its causes, and gives its code.
#[expect(clippy::print_stderr, reason = "the last word of a program goes to the person who started it")]
pub(crate) fn report(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    ExitCode::from(exit_code(&error))
}
