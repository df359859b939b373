//! One poll of one sensor: its program in a private directory, within limits, and what it printed. No database here.

mod context;
mod error;
mod reading;
#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;
use std::time::Duration;

use attune_core::runtime::execution::{Protocol, Role};
use attune_process::{Capture, Limits, Program, StreamLimit};
use attune_runtimes::scratch::Scratch;
use attune_runtimes::tool::{Places, Tool};
use attune_runtimes::variables;
use serde_json::Value;

pub use error::PollError;
pub use reading::PollOutput;

use crate::definition::Sensor;
use reading::Ended;

/// Runs polls.
#[derive(Debug)]
pub struct SensorRuntime {
    scratch: Scratch,
    output_limit: usize,
}

/// One poll.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// What is polled.
    pub sensor: &'a Sensor,
    /// What runs it.
    pub tool: &'a Tool,
    /// The directory of the sensor's pack.
    pub code: &'a Path,
    /// The directory of the runtime's own pack.
    pub runtime_pack: Option<&'a Path>,
    /// What it remembers from the last poll.
    pub state: &'a Value,
    /// The parameters that live rules ask for, by trigger.
    pub trigger_params: &'a Value,
    /// How long it may take.
    pub time: Duration,
}

impl SensorRuntime {
    /// Polls run in directories of `scratch` and print up to `output_limit` bytes.
    pub fn new(scratch: Scratch, output_limit: usize) -> Self {
        Self { scratch, output_limit }
    }

    /// Runs one poll, to its end or until `stop`. Afterwards the program and everything that it started is gone.
    pub async fn poll(
        &self,
        job: &Job<'_>,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<PollOutput, PollError> {
        job.sensor.check()?;
        let directory = self.scratch.directory().map_err(PollError::WorkingDirectory)?;
        let program = self.program(job, directory.path())?;
        let mut capture = Capture::within(&program.limits);
        let finished = attune_process::run(program, &mut capture, stop).await;
        let finished = finished.map_err(|error| PollError::Launch { error })?;
        let (stdout, stderr) = (capture.stdout.into_bytes(), capture.stderr.into_bytes());
        let ended = Ended { outcome: finished.outcome, stdout, stderr, output_limit: self.output_limit };
        ended.read(job, protocol(job)?)
    }

    fn program(&self, job: &Job<'_>, directory: &Path) -> Result<Program, PollError> {
        let given = context::write(job, directory).map_err(PollError::WorkingDirectory)?;
        let allowed = &job.tool.execution()?.env_allow;
        let env = variables::variables(variables::of_this_process, allowed, directory, given);
        let places = Places {
            code: job.code,
            entrypoint: &job.sensor.row.entrypoint,
            runtime_pack: job.runtime_pack,
            path: variables::path_of(&env),
        };
        let argv = job.tool.argv(Role::Sensor, &places)?;
        let stdin = job.sensor.config.to_string().into_bytes();
        Ok(Program { argv, env, cwd: directory.to_owned(), stdin, limits: self.limits(job) })
    }

    fn limits(&self, job: &Job<'_>) -> Limits {
        Limits {
            time: job.time,
            stdout: StreamLimit::kill(self.output_limit),
            no_new_privileges: true,
            ..Limits::default()
        }
    }
}

fn protocol(job: &Job<'_>) -> Result<Protocol, PollError> {
    Ok(job.tool.execution()?.protocol)
}
