//! What a poll or a stream is told: the configuration, and the context file beside it. Nothing of it is ever in its arguments.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use attune_core::pack::Mode;
use serde_json::json;

use super::Job;

/// Names the context file.
const CONTEXT: &str = "SENSOR_CONTEXT";
/// The context file in the poll's working directory.
const FILE: &str = ".sensor-context.json";

/// Writes the context file, readable for its owner only, and returns the variables of the poll.
pub(super) fn write(job: &Job<'_>, directory: &Path) -> io::Result<Vec<(OsString, OsString)>> {
    let file = directory.join(FILE);
    let mut context = json!({
        "ref": job.sensor.row.r#ref,
        "sensor": job.sensor.row.r#ref,
        "triggers": job.sensor.row.triggers,
        "config": job.sensor.config,
        "state": job.state,
        "trigger_params": job.trigger_params,
    });
    if job.sensor.is_stream() {
        context["mode"] = json!(Mode::Stream.as_str());
    }
    create(&file)?.write_all(context.to_string().as_bytes())?;
    let variables = job.sensor.variables.iter().map(|(name, value)| (name.into(), value.into()));
    Ok(variables.chain([(CONTEXT.into(), file.into())]).collect())
}

/// Removes the context file, so that a directory in which the poll left nothing is used again. Else it goes with all of it.
pub(super) fn remove(directory: &Path) {
    let _ = std::fs::remove_file(directory.join(FILE));
}

fn create(file: &PathBuf) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}
