//! What an author types before a pack is loaded. No database is needed; a running Attune is asked only for what a pack
//! takes from others.

pub(crate) mod pack_test;
pub(crate) mod rule_test;
mod running;
pub(crate) mod sensor_conform;
pub(crate) mod sensor_new;
pub(crate) mod sensor_test;
mod sensor_torture;

use std::path::Path;
use std::sync::Arc;

use attune_runtimes::environment::{Environments, Observer, Owner, Progress};
use attune_runtimes::pack_directory::{PackDirectory, PackDirectoryError};
use attune_sensor::workbench::{Workbench, WorkbenchError};

use super::pack;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output;

/// Whether what was typed means a file; refs have neither a slash nor such an end.
fn is_file(text: &str) -> bool {
    let path = Path::new(text);
    text.contains('/') || path.is_file() || path.extension().is_some_and(|extension| extension == "yaml")
}

fn read(root: &Path) -> anyhow::Result<PackDirectory> {
    let own = PackDirectory::read(root).map_err(refused)?;
    pack::warn_of_rules(&own.pack);
    pack::warn_of_line_ends(&own.files);
    Ok(own)
}

fn refused(error: PackDirectoryError) -> anyhow::Error {
    match error {
        PackDirectoryError::Faulty { .. } => Failure::Refused(error.to_string()).into(),
        PackDirectoryError::Unreadable(error) => pack::unfit(error),
    }
}

/// The bench of this machine; builds of environments are told as they go.
async fn workbench(global: &Global) -> anyhow::Result<Workbench> {
    let config = global.configuration()?;
    let environments = Environments::observed(&config.runtime.environments_dir, Arc::new(Told));
    Ok(Workbench::open(&config, environments).await?)
}

/// Tells the person who waits.
#[derive(Debug)]
struct Told;

impl Observer for Told {
    fn see(&self, owner: &Owner, progress: &Progress) {
        let Owner { manifest, pack, runtime, .. } = owner;
        output::note(&format!("{manifest} of pack {pack} for {runtime}: {progress}"));
    }
}

/// With the exit code that the kind of error has.
fn explain(error: WorkbenchError) -> anyhow::Error {
    match error {
        WorkbenchError::NotFound(message) => Failure::NotFound(message).into(),
        WorkbenchError::Refused(message) => Failure::Refused(message).into(),
        WorkbenchError::Pack(error) => refused(error),
        error => error.into(),
    }
}
