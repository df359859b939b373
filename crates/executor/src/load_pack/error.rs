//! Why a pack was not loaded. Nothing of it is in force then.

use attune_core::pack::Fault;
use attune_runtimes::archive::ArchiveError;

/// Why a pack was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its author has to correct these.
    #[error("the pack has {}", count(.0))]
    Faults(Vec<Fault>),
    /// The upload is no archive of a pack.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Reading it ended without an answer.
    #[error("reading the pack was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    /// The load was meant for older versions only.
    #[error("version {0} is loaded already")]
    NotNewer(String),
    /// The archive could not be written.
    #[error("can not pack the files")]
    Write(#[source] std::io::Error),
    /// The database refused or did not answer.
    #[error("can not load the pack into the database")]
    Database(#[from] sqlx::Error),
}

fn count(faults: &[Fault]) -> String {
    match faults {
        [one] => format!("a fault: {one}"),
        [first, rest @ ..] => format!("{} faults; the first: {first}", rest.len() + 1),
        [] => "a fault".to_owned(),
    }
}
