//! Why a sensor can not be put on the workbench.

use std::path::PathBuf;

use attune_executor::core_pack::CorePackError;
use attune_executor::unloaded::Failed;
use attune_runtimes::content::ContentError;
use attune_runtimes::pack_directory::PackDirectoryError;

use super::SourceError;

/// Why a sensor can not be put on the workbench.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// Nothing is called so.
    #[error("{0}")]
    NotFound(String),
    /// It is not for this bench, or not clear enough.
    #[error("{0}")]
    Refused(String),
    /// Its pack is not valid.
    #[error(transparent)]
    Pack(#[from] PackDirectoryError),
    /// The core pack of this program is unusable.
    #[error(transparent)]
    CorePack(#[from] CorePackError),
    /// The running Attune did not answer.
    #[error("can not ask the running Attune: {0}")]
    Lookup(Failed),
    /// Files could not be unpacked.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The laboratory has no place.
    #[error("can not make a directory for this run: {0}")]
    Scratch(#[source] std::io::Error),
    /// Nothing could be put into the source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Files could not be packed.
    #[error("can not pack the files of {}", pack.display())]
    Packing {
        /// The pack.
        pack: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
