//! Sensors on their author's workbench: one poll, or some seconds of a stream, here, without a database, through the same [`SensorRuntime`] as in the
//! service. What it prints is read, checked and worded by the same code, so what is shown is what would be recorded.
//!
//! A [`Piece`] is what is put on the bench: a sensor of a pack directory, a file of code by itself, or a sensor of a
//! running Attune. Code of a directory runs where it lies, so that an error names the file that its author edits; what
//! comes from elsewhere, the runtime's own pack above all, is unpacked by digest as on every machine.

mod admission;
mod code;
mod conform;
mod error;
mod laboratory;
mod piece;
mod report;
mod suite;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use attune_common::config::Config;
use attune_common::runtime_detection::Verifier;
use attune_core::usage::Spent;
use attune_executor::rules::RuleBook;
use attune_executor::unloaded::{self, Library};
use attune_runtimes::content::PackContent;
use attune_runtimes::environment::Environments;
use attune_runtimes::launch::{Code, Launcher};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::definition::Sensor;
use crate::generator::asked_params;
use crate::registration::section;
use crate::runtime::{Job, SensorRuntime};
use crate::stream::{Heard, listen};

pub use admission::Admission;
pub use conform::{Check, Conformity, Kind};
pub use error::WorkbenchError;
pub use laboratory::{Bore, Entry, Fault, Guarantee, Ledger, Ordeal, SourceError, SourceKind, Trial, Tried};
pub use piece::Piece;
use report::Ran;
pub use report::{Report, Seen, SetAside};
pub use suite::{Outcome, run_test};

/// How long a stream is listened to when nobody says so.
const LISTEN: Duration = Duration::from_secs(5);
/// How long a poll may take when nobody says so.
const TIME: Duration = Duration::from_secs(30);

/// Runs sensors by hand.
#[derive(Debug)]
pub struct Workbench {
    runtime: SensorRuntime,
    content: PackContent,
    verifier: Verifier,
    time: Duration,
    /// What this machine is called.
    host: String,
}

/// What the running Attune does not tell.
const HIDDEN: &str = "the secret fields of its configuration are \"***\" here; give them with --config";

/// What one poll is given.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Put over the sensor's configuration, key by key.
    pub config: Value,
    /// What it remembers; `null`: nothing yet.
    pub state: Value,
    /// How long it may take; of a stream, how long it may be silent.
    pub time: Option<Duration>,
    /// How long a stream is listened to.
    pub listen: Option<Duration>,
}

impl Workbench {
    /// A bench with the limits and caches that this configuration describes.
    pub async fn open(config: &Config, environments: Environments) -> io::Result<Self> {
        let launcher = Arc::new(Launcher::with(config, environments)?);
        let output_limit = usize::try_from(config.limits.poll_output_bytes).unwrap_or(usize::MAX);
        Ok(Self {
            runtime: SensorRuntime::new(launcher, output_limit, section(config).host_memory_bytes),
            content: PackContent::new(&config.cache_dir),
            verifier: Verifier::configured(config).await,
            time: config.sensor.as_ref().map_or(TIME, |sensor| sensor.sensor_timeout),
            host: config.sensor.as_ref().map(|sensor| sensor.host.clone()).unwrap_or_default(),
        })
    }

    /// Polls a sensor once, or runs a stream for a while. That it fails is an answer; an error is only that it can not be tried.
    pub async fn poll(
        &self,
        piece: &Piece,
        library: &Library<'_>,
        given: &Given,
    ) -> Result<Report, WorkbenchError> {
        let mut row = piece.row().clone();
        lay_over(&mut row.config, &given.config);
        let sensor = Sensor::new(row);
        let state = if given.state.is_null() { json!({}) } else { given.state.clone() };
        let book = match library.own() {
            Some(own) => unloaded::rule_book(&own.pack, library).map_err(WorkbenchError::Lookup)?,
            None => RuleBook::default(),
        };
        let asked = asked_params(&book, &sensor);
        let code = self.code(piece, library).await?;
        let ran = match code {
            Ok(code) => self.run(&sensor, &code, &state, &asked, given).await,
            Err(missing) => Ran { error: Some(missing), ..Ran::default() },
        };
        let mut report = report::make(library, &sensor, state, ran).map_err(WorkbenchError::Lookup)?;
        report.notes.extend(piece.hides_secrets(&sensor).then(|| HIDDEN.to_owned()));
        Ok(report)
    }

    async fn run(
        &self,
        sensor: &Sensor,
        code: &Code,
        state: &Value,
        trigger_params: &Value,
        given: &Given,
    ) -> Ran {
        // The time of the run is told, not that of building an environment.
        let interpreter = match self.runtime.wait(code).await {
            Ok(interpreter) => interpreter,
            Err(error) => return Ran { error: Some(error.for_the_record()), ..Ran::default() },
        };
        let time = given.time.or(sensor.timeout()).unwrap_or(self.time);
        let job = Job { sensor, code, state, trigger_params, time, pass: None };
        let start = Instant::now();
        let ran = if sensor.is_stream() {
            listen(&self.runtime, &interpreter, &job, given.listen.unwrap_or(LISTEN)).await.map(Ran::from)
        } else {
            let polled = self.runtime.poll_with(&interpreter, &job, &mut Spent::default(), pending()).await;
            polled.map(|output| Ran { output, ..Ran::default() })
        };
        let ran = ran.unwrap_or_else(|error| Ran { error: Some(error.for_the_record()), ..Ran::default() });
        Ran { took: start.elapsed(), ..ran }
    }
}

impl From<Heard> for Ran {
    fn from(heard: Heard) -> Self {
        let open = heard.open;
        let note =
            format!("events that no checkpoint has followed yet, so that they would not be stored: {open}");
        Self {
            output: heard.output,
            error: heard.error.map(|error| error.for_the_record()),
            notes: (open > 0).then_some(note).into_iter().collect(),
            took: Duration::ZERO,
        }
    }
}

/// Puts the keys of one object over those of another.
fn lay_over(config: &mut Value, over: &Value) {
    let Some(over) = over.as_object().filter(|over| !over.is_empty()) else { return };
    match config.as_object_mut() {
        Some(config) => config.extend(over.clone()),
        None => *config = Value::Object(over.clone()),
    }
}
