//! The laboratory: a sensor runs as it does in the service, while what can go wrong around it does go wrong, each thing at a
//! chosen moment; and it ends with the guarantee that the sensor earned.
//!
//! Two sides work on one [`Stand`]. The [driver] runs the program, again and again, through the runtime,
//! the session and the decoder of the service, and commits what it says to a [`Ledger`], which stands for the database. The
//! [script] puts items into the [source] that the sensor looks at, orders a fault, and waits for what comes of
//! it. Each item has a name that nothing else has, so whoever finds it in the ledger knows what came through, and how often.
//!
//! Nothing is guessed: without a source nobody knows what a sensor should have seen, so it is not judged; a fault that this
//! machine can not bring about is told as not tried. All that is drawn by lot comes from one seed, and no fault's lot depends
//! on another's, so each can be repeated alone.

mod clock;
mod driver;
mod fault;
mod feed;
mod items;
mod ledger;
mod ordeal;
mod processes;
mod script;
mod source;
mod stand;
mod subject;
mod trials;

use std::time::Duration;

use attune_executor::unloaded::Library;
use serde_json::Value;
use tokio::time::Instant;

pub use fault::Fault;
pub use ledger::{Entry, Ledger};
pub use ordeal::{Bore, Guarantee, Ordeal, Tried};
pub use source::{SourceError, SourceKind};

use super::{Admission, Piece, Workbench, WorkbenchError};
use clock::Clock;
use driver::Driver;
use script::{Round, Script};
use stand::{Scene, Stand};
use subject::Subject;

/// What is asked of the laboratory.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Put over the sensor's configuration, key by key. In its texts, and in those of `params`, `{source}` is the path of the
    /// source and `{scratch}` that of a directory of this run.
    pub config: Value,
    /// What a rule asks of the sensor's first trigger.
    pub params: Option<Value>,
    /// Where items are put.
    pub source: Option<SourceKind>,
    /// What the lots are drawn from; without it another one each time.
    pub seed: Option<u64>,
    /// The faults to try; none means all of them.
    pub only: Vec<Fault>,
    /// How long a poll may take, or a stream be silent.
    pub time: Option<Duration>,
}

/// Told how the sensor bore each fault, as far as that is known when the next one begins.
type See<'a> = &'a (dyn Fn(&Tried) + Sync);

impl Workbench {
    /// Puts a sensor through all that can go wrong. That it loses everything is an answer; an error is only that it can not
    /// be tried.
    pub async fn torture(
        &self,
        piece: &Piece,
        library: &Library<'_>,
        trial: &Trial,
        see: See<'_>,
    ) -> Result<Ordeal, WorkbenchError> {
        let start = Instant::now();
        let scratch = tempfile::Builder::new().prefix("attune-laboratory-").tempdir();
        let scratch = scratch.map_err(WorkbenchError::Scratch)?;
        let code = self.code(piece, library).await?.map_err(WorkbenchError::Refused)?;
        let interpreter = self.runtime.wait(&code).await;
        let interpreter = interpreter.map_err(|error| WorkbenchError::Refused(error.for_the_record()))?;
        let Subject { sensor, params, source } = Subject::new(piece, trial, scratch.path())?;
        let admission = Admission::of(library, &sensor).map_err(WorkbenchError::Lookup)?;
        let stand = Stand::new(Ledger::new(sensor.clone(), admission));
        let clock = Clock::find(scratch.path()).await;
        let driver = Driver {
            runtime: &self.runtime,
            interpreter: &interpreter,
            code: &code,
            sensor: &sensor,
            clock: clock.as_ref(),
            trigger_params: &params,
            time: trial.time.or(sensor.timeout()).unwrap_or(self.time),
            stand: &stand,
        };
        // Short, since it may have to be typed.
        let seed = trial.seed.unwrap_or_else(|| rand::random::<u16>().into());
        let tell = |round: &Round, scene: &Scene| see(&ordeal::tried(scene.round, round, scene));
        let mut script = Script::new(&stand, source, &sensor, clock.as_ref(), seed, &tell);
        let faults = script::order(seed, &trial.only);
        let played = tokio::select! {
            played = script.play(&faults) => played?,
            () = driver.drive() => unreachable!("it never ends"),
        };
        let judged = played.and_then(|()| trial.source.as_ref().map(drop).ok_or_else(|| UNKNOWN.to_owned()));
        let ordeal = stand.look(|scene| Ordeal::new(&sensor.row.r#ref, seed, &script, judged, scene));
        Ok(ordeal.after(start.elapsed()))
    }
}

/// Why a sensor without a source is not judged.
const UNKNOWN: &str = "nobody knows what its source held; --source has it look at one that is known";
