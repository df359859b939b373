//! What a poll or a stream is told: the configuration, and the context file beside it. Nothing of it is ever in its arguments.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use attune_common::config::env::SENSOR_CONTEXT;
use attune_core::pack::Mode;
use attune_runtimes::note;
use serde_json::json;

use super::Job;

/// Writes the context file, readable for its owner only, and returns the variables of the poll.
pub(super) fn write(job: &Job<'_>, directory: &Path) -> io::Result<Vec<(OsString, OsString)>> {
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
    if let Some(pass) = job.pass {
        context["api"] = pass.context();
    }
    let file = note::write(directory, context.to_string().as_bytes())?;
    let variables = job.sensor.variables.iter().map(|(name, value)| (name.into(), value.into()));
    Ok(variables.chain([(SENSOR_CONTEXT.into(), file.into())]).collect())
}
