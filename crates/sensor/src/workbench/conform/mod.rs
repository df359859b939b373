//! A program held against the protocol: it is started as the service starts it, spoken with for some seconds, and told to
//! stop. What it says is read by the decoder of the service, so what breaks here breaks there.

mod check;
mod conversation;
mod host;
mod stream;

use std::time::Duration;

use attune_core::pack::Mode;
use attune_executor::unloaded::Library;
use attune_runtimes::launch::{Code, Interpreter};
use serde::Serialize;
use serde_json::{Value, json};

pub use check::Check;

use super::{Piece, Workbench, WorkbenchError, lay_over};
use crate::definition::Sensor;
use crate::runtime::{Job, PollError};

/// As which kind of program a file is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The file is a stream.
    Stream,
    /// The file is what the host of its runtime polls.
    Host,
}

/// What came of a trial.
#[derive(Debug, Serialize)]
pub struct Conformity {
    /// The file, or the sensor that it is the code of.
    pub sensor: String,
    /// What runs it.
    pub runtime: Option<String>,
    /// What it was tried as.
    pub kind: Kind,
    /// What was looked at, in order. After a breach nothing more can be asked, so the list ends early.
    pub checks: Vec<Check>,
}

impl Conformity {
    /// Whether every check passed.
    pub fn is_success(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}

impl Workbench {
    /// Tries a program; it is listened to, or may take for one answer, so long. That it fails is an answer; an error is only
    /// that it can not be tried.
    pub async fn conform(
        &self,
        piece: &Piece,
        library: &Library<'_>,
        config: &Value,
        kind: Kind,
        time: Duration,
    ) -> Result<Conformity, WorkbenchError> {
        let sensor = subject(piece, config, kind)?;
        let checks = match self.code(piece, library).await? {
            Ok(code) => self.try_code(&sensor, &code, kind, time).await?,
            Err(missing) => vec![Check::new("starts", Err(missing))],
        };
        let (name, runtime) = (sensor.row.r#ref.clone(), sensor.row.runtime_ref.clone());
        Ok(Conformity { sensor: name, runtime, kind, checks })
    }

    async fn try_code(
        &self,
        sensor: &Sensor,
        code: &Code,
        kind: Kind,
        time: Duration,
    ) -> Result<Vec<Check>, WorkbenchError> {
        if kind == Kind::Host && !code.tool.execution().is_ok_and(|execution| execution.host.is_some()) {
            let runtime = &code.tool.r#ref;
            return Err(WorkbenchError::Refused(format!("runtime {runtime} has no host (`execution.host`)")));
        }
        let tried = match self.runtime.wait(code).await {
            Ok(interpreter) => self.converse(sensor, code, &interpreter, kind, time).await,
            Err(error) => Err(error),
        };
        Ok(tried.unwrap_or_else(|error| vec![Check::new("starts", Err(error.for_the_record()))]))
    }

    async fn converse(
        &self,
        sensor: &Sensor,
        code: &Code,
        interpreter: &Interpreter,
        kind: Kind,
        time: Duration,
    ) -> Result<Vec<Check>, PollError> {
        let (state, trigger_params) = (&json!({}), &json!([]));
        let job = Job { sensor, code, state, trigger_params, time: Duration::MAX, pass: None };
        match kind {
            Kind::Stream => Ok(stream::check(self.runtime.talk(interpreter, &job).await?, time).await),
            Kind::Host => {
                let host = self.runtime.talk_to_host(interpreter, code).await?;
                Ok(host::check(host, &job, time).await)
            }
        }
    }
}

/// The sensor as it is tried: code by itself is whatever it is tried as.
fn subject(piece: &Piece, config: &Value, kind: Kind) -> Result<Sensor, WorkbenchError> {
    let mut row = piece.row().clone();
    let (poll, stream) = (Mode::Poll.as_str(), Mode::Stream.as_str());
    match kind {
        Kind::Stream if row.mode == poll && !row.triggers.is_empty() => {
            let name = row.r#ref;
            return Err(WorkbenchError::Refused(format!(
                "{name} is a polled sensor, which `attune sensor test` tries; --host asks the host of its runtime to poll it"
            )));
        }
        Kind::Stream => stream.clone_into(&mut row.mode),
        Kind::Host => poll.clone_into(&mut row.mode),
    }
    lay_over(&mut row.config, config);
    Ok(Sensor::new(row))
}
