//! One poll of one sensor: in a warm host where that is possible, else by a program in a private directory; within limits,
//! and what came of it. No database here.

mod context;
mod error;
mod reading;
#[cfg(test)]
pub(crate) mod tests;
mod warm;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use attune_core::protocol::{Brief, Order, Version};
use attune_core::runtime::execution::Role;
use attune_core::usage::Spent;
use attune_process::{Capture, Limits, Outcome, StreamLimit, Talk};
use attune_runtimes::confinement::Confinement;
use attune_runtimes::host::{Census, Hosts, Settings, lasting};
use attune_runtimes::launch::{Code, Found, Interpreter, Launcher, PrepareError, Prepared};
use attune_runtimes::note;
use attune_runtimes::pass::Pass;
use attune_runtimes::spent::spent_by;
use serde_json::Value;

pub use error::PollError;
pub(crate) use error::{recorded, with_reason};
pub use reading::PollOutput;

use crate::definition::{CONFINED, Sensor};
use reading::Ended;

/// Runs polls.
#[derive(Debug)]
pub struct SensorRuntime {
    launcher: Arc<Launcher>,
    hosts: Hosts,
    host_limits: Limits,
    output_limit: usize,
}

/// One poll.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// What is polled.
    pub sensor: &'a Sensor,
    /// Its code, and what runs it.
    pub code: &'a Code,
    /// What it remembers from the last poll.
    pub state: &'a Value,
    /// The parameters that live rules ask for, by trigger.
    pub trigger_params: &'a Value,
    /// How long it may take; of a stream, how long it may be silent.
    pub time: Duration,
    /// What it may ask the API with.
    pub pass: Option<&'a Pass>,
}

impl Job<'_> {
    /// Whether its program can be told what it has to know.
    pub(crate) fn check(&self) -> Result<(), PollError> {
        self.sensor.check()?;
        match self.state {
            Value::Object(_) | Value::Null => Ok(()),
            Value::String(text) => Err(PollError::Config(format!("sensor_state.state is no object: {text}"))),
            _ => Err(PollError::Config("sensor_state.state is no object".to_owned())),
        }
    }

    /// What a program of the sensor has to know.
    fn brief(&self) -> Brief<'_> {
        let row = &self.sensor.row;
        let (config, state, trigger_params) = (&self.sensor.config, self.state, self.trigger_params);
        Brief { sensor: &row.r#ref, config, state, triggers: &row.triggers, trigger_params }
    }
}

impl SensorRuntime {
    /// Polls are started by `launcher` and print up to `output_limit` bytes; warm hosts take `host_memory` bytes together.
    pub fn new(launcher: Arc<Launcher>, output_limit: usize, host_memory: u64) -> Self {
        let hosts = Hosts::new(Arc::clone(&launcher), Settings::within(host_memory));
        Self { launcher, hosts, host_limits: lasting(limits()), output_limit }
    }

    /// How many warm hosts there are, and what they take.
    pub fn hosts(&self) -> Census {
        self.hosts.census()
    }

    /// Ends the warm hosts, once polls are over.
    pub async fn end(&self) {
        self.hosts.end().await;
    }

    /// What runs a sensor's code, or the build that its polls have to wait for.
    pub async fn find(&self, code: &Code) -> Result<Found, PollError> {
        Ok(self.launcher.find(code, Role::Sensor).await?)
    }

    /// What runs a sensor's code, once its environment is there.
    pub async fn wait(&self, code: &Code) -> Result<Interpreter, PollError> {
        Ok(self.launcher.wait(code, Role::Sensor, |_| ()).await?)
    }

    /// Runs one poll, to its end or until `stop`. Afterwards the program and everything that it started is gone. An
    /// environment that is missing is built first, which does not count as time of the poll.
    pub async fn poll(
        &self,
        job: &Job<'_>,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<PollOutput, PollError> {
        job.check()?;
        let mut stop = pin!(stop);
        let interpreter = tokio::select! {
            found = self.wait(job.code) => found?,
            () = &mut stop => return Err(PollError::Stopped),
        };
        self.poll_with(&interpreter, job, &mut Spent::default(), stop).await
    }

    /// As [`Self::poll`], when what runs the code has been found. However it ends, `spent` says what it took.
    pub async fn poll_with(
        &self,
        interpreter: &Interpreter,
        job: &Job<'_>,
        spent: &mut Spent,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<PollOutput, PollError> {
        job.check()?;
        let mut stop = pin!(stop);
        if let Some(output) = self.poll_warm(interpreter, job, spent, &mut stop).await? {
            return Ok(output);
        }
        let prepared = self.prepare(interpreter, job)?;
        let program = prepared.program(job.sensor.config.to_string().into_bytes(), self.limits(job));
        let (directory, mut capture) = (program.cwd.clone(), Capture::within(&program.limits));
        let finished = attune_process::run(program, &mut capture, stop).await.map_err(PrepareError::from)?;
        *spent = spent_by(&finished);
        note::blank(&directory);
        self.read(job, finished.outcome, capture).await
    }

    /// Starts the program of one poll, for somebody who is with it while it runs. The directory that it runs in has to live
    /// as long as it does.
    pub(crate) async fn start(
        &self,
        interpreter: &Interpreter,
        job: &Job<'_>,
    ) -> Result<(Talk, Prepared, Capture), PollError> {
        job.check()?;
        let prepared = self.prepare(interpreter, job)?;
        let program = prepared.program(job.sensor.config.to_string().into_bytes(), self.limits(job));
        let capture = Capture::within(&program.limits);
        let talk = attune_process::talk(program).await.map_err(PrepareError::from)?;
        Ok((talk, prepared, capture))
    }

    /// What a program of a poll that ended like this has said.
    pub(crate) async fn read(
        &self,
        job: &Job<'_>,
        outcome: Outcome,
        printed: Capture,
    ) -> Result<PollOutput, PollError> {
        let protocol = job.code.tool.execution().map_err(PrepareError::from)?.protocol;
        let output_limit = self.limits(job).stdout.bytes;
        let (stdout, stderr) = (printed.stdout.into_bytes(), printed.stderr.into_bytes());
        let ended = Ended { outcome, stdout, stderr, output_limit, time: job.time };
        ended.read(protocol).await
    }

    fn prepare(&self, interpreter: &Interpreter, job: &Job<'_>) -> Result<Prepared, PollError> {
        let given = |directory: &_| context::write(job, directory);
        Ok(self.launcher.prepare(job.code, interpreter, &job.sensor.row.entrypoint, given)?)
    }

    /// Starts a stream and tells it what it has to know. The directory that it runs in has to live as long as it does.
    pub(crate) async fn talk(
        &self,
        interpreter: &Interpreter,
        job: &Job<'_>,
    ) -> Result<(Talk, Prepared), PollError> {
        job.check()?;
        let prepared = self.prepare(interpreter, job)?;
        let stdout = StreamLimit::truncate(usize::MAX);
        let limits = Limits { time: Duration::MAX, stdout, ..self.limits(job) };
        // The first thing that a stream hears.
        let start = Order::Start { protocol: Version, brief: job.brief() };
        let program = prepared.program(start.line(), limits);
        let talk = attune_process::talk(program).await.map_err(PrepareError::from)?;
        Ok((talk, prepared))
    }

    /// Starts the host of the code's runtime. The directory that it runs in has to live as long as it does.
    pub(crate) async fn talk_to_host(
        &self,
        interpreter: &Interpreter,
        code: &Code,
    ) -> Result<(Talk, Prepared), PollError> {
        let prepared = self.launcher.prepare_host(code, interpreter)?;
        let unlimited = StreamLimit::truncate(usize::MAX);
        let limits =
            Limits { time: Duration::MAX, stdout: unlimited, no_new_privileges: true, ..Limits::default() };
        let talk =
            attune_process::talk(prepared.program(Vec::new(), limits)).await.map_err(PrepareError::from)?;
        Ok((talk, prepared))
    }

    fn limits(&self, job: &Job<'_>) -> Limits {
        let stdout = StreamLimit::kill(self.output_limit);
        let mut limits = Limits { time: job.time, stdout, ..Limits::default() };
        job.sensor.confinement.apply(&mut limits);
        limits
    }
}

/// The bounds of a host, which sensors share that demand nothing of their own.
fn limits() -> Limits {
    let mut limits = Limits::default();
    Confinement::at(CONFINED).apply(&mut limits);
    limits
}
