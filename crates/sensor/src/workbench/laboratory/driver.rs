//! The side that runs the program: again and again, each time from what is committed, for as long as it is wanted.

use std::time::Duration;

use attune_process::{Capture, End, LaunchError, Output as _, Said, TalkOut};
use attune_runtimes::launch::{Code, Interpreter, PrepareError};
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::clock::{Clock, Off};
use super::processes;
use super::stand::{Run, Scene, Stand, Strike};
use crate::definition::Sensor;
use crate::runtime::{Job, PollError, PollOutput, SensorRuntime};
use crate::stream::{Batch, Committing, Ended, NotCommitted, Trial};

/// Between two polls, and before a program that failed is started again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a poll may still take that was stopped.
const HANG: Duration = Duration::from_secs(1);
/// How long, and in which intervals, a program that has just been started is looked for.
const START: Duration = Duration::from_millis(100);
const TRY: Duration = Duration::from_millis(5);
/// A program that never waits is busy with something else.
const BUSY: Duration = Duration::from_secs(2);

const BEFORE_COMMIT: &str = "SIGKILL of worker and program when its events had come, before their commit";
const BEFORE_ACK: &str = "SIGKILL of worker and program after a commit, before the sensor could hear of that";
const STOPPED: &str = "SIGSTOP as soon as it ran, until its time was over";

/// What is run, and how.
pub(super) struct Driver<'a> {
    pub(super) runtime: &'a SensorRuntime,
    pub(super) interpreter: &'a Interpreter,
    pub(super) code: &'a Code,
    pub(super) sensor: &'a Sensor,
    /// What can make its clocks jump.
    pub(super) clock: Option<&'a Clock>,
    pub(super) trigger_params: &'a Value,
    pub(super) time: Duration,
    pub(super) stand: &'a Stand,
}

impl Driver<'_> {
    /// Never ends.
    pub(super) async fn drive(&self) {
        loop {
            self.stand.until(|scene| scene.wanted).await;
            if !self.stand.change(Scene::begin) {
                continue;
            }
            let (state, off, limit) =
                self.stand.look(|scene| (scene.state(), scene.off, scene.limit.unwrap_or(self.time)));
            let sensor = &self.by_clock(off);
            let (code, trigger_params) = (self.code, self.trigger_params);
            let job = Job { sensor, code, state: &state, trigger_params, time: limit, pass: None };
            if sensor.is_stream() {
                self.stream(&job).await;
            } else {
                self.poll(&job).await;
            }
            sleep(PAUSE).await;
        }
    }

    /// The sensor with these clocks off.
    fn by_clock(&self, off: Option<Off>) -> Sensor {
        let mut sensor = self.sensor.clone();
        sensor
            .variables
            .extend(off.zip(self.clock).into_iter().flat_map(|(off, clock)| clock.variables(off)));
        sensor
    }

    /// One run of a stream.
    async fn stream(&self, job: &Job<'_>) {
        let commit = |batch| -> Committing<'_> { Box::pin(self.commit(batch)) };
        let cut = |message: &_| self.stand.change(|scene| scene.hear(message));
        let (runtime, interpreter) = (self.runtime, self.interpreter);
        let trial = Trial { runtime, interpreter, job, commit: &commit, cut: Some(&cut) };
        let stop = self.stand.until(|scene| !scene.wanted && scene.blow.is_none());
        let tried =
            trial.run(|launcher| self.stand.change(|scene| scene.run = Run::Up(launcher)), stop).await;
        let error = match tried.map(|tried| tried.ended) {
            Ok(Ended::Failed(error)) => Some(error.for_the_record()),
            Ok(Ended::Stopped | Ended::Lost | Ended::InDoubt) => None,
            Err(error) => Some(error.for_the_record()),
        };
        self.stand.change(|scene| scene.ended(error));
    }

    /// What becomes of a part of a stream that is complete.
    async fn commit(&self, batch: Batch) -> Result<(), NotCommitted> {
        let has_events = !batch.events.is_empty();
        let strike = self.stand.look(|scene| scene.strike);
        match strike {
            Some(Strike::LostCommit) if has_events => {
                self.until_idle().await;
                self.stand.change(|scene| scene.struck(BEFORE_COMMIT.to_owned()));
                Err(NotCommitted::Lost)
            }
            Some(Strike::LostAck) if has_events => {
                self.stand.change(|scene| {
                    scene.commit(batch.into());
                    scene.struck(BEFORE_ACK.to_owned());
                });
                Err(NotCommitted::InDoubt)
            }
            strike => {
                if let Some(Strike::Slow(time)) = strike {
                    sleep(time).await;
                }
                self.stand.change(|scene| scene.commit(batch.into()));
                Ok(())
            }
        }
    }

    /// One poll.
    async fn poll(&self, job: &Job<'_>) {
        let strike = self.stand.look(|scene| scene.strike);
        let polled = self.be_with(job, strike).await;
        self.stand.change(|scene| match polled {
            Ok(Some(output)) => take(scene, strike, output),
            // It was struck, as was wanted.
            Ok(None) => scene.ended(None),
            Err(error) => scene.ended(Some(error.for_the_record())),
        });
    }

    /// Is with a poll while it runs. `None`: it was struck.
    async fn be_with(&self, job: &Job<'_>, strike: Option<Strike>) -> Result<Option<PollOutput>, PollError> {
        let (talk, _directory, mut printed) = self.runtime.start(self.interpreter, job).await?;
        self.stand.change(|scene| scene.run = Run::Up(talk.launcher_pid()));
        let (input, mut output) = talk.split();
        input.close();
        // One that was too quick for that goes on, and the next one is stopped.
        if strike == Some(Strike::Stop) && self.stop_soon().await {
            launched(output.end(End::Awaited(self.stand.stretched(HANG))).await)?;
            self.stand.change(|scene| scene.struck(STOPPED.to_owned()));
            return Ok(None);
        }
        if let Some(Strike::Slow(time)) = strike {
            sleep(time).await;
        }
        let most = if let Some(Strike::Kill(lines)) = strike { lines } else { usize::MAX };
        if read(&mut output, &mut printed, most).await {
            let words =
                format!("SIGKILL after {} of its output", if most == 1 { "a line" } else { "some lines" });
            self.stand.change(|scene| scene.struck(words));
            launched(output.end(End::Now).await)?;
            return Ok(None);
        }
        let finished = launched(output.end(End::Awaited(job.time)).await)?;
        self.runtime.read(job, finished.outcome, printed).await.map(Some)
    }

    /// It may have come no further than its launcher; `false`: it was not met.
    async fn stop_soon(&self) -> bool {
        let end = Instant::now() + self.stand.stretched(START);
        while !self.signal(Signal::STOP) {
            if Instant::now() > end {
                return false;
            }
            sleep(TRY).await;
        }
        true
    }

    fn signal(&self, signal: Signal) -> bool {
        self.stand.look(Scene::launcher).is_some_and(|launcher| processes::signal(launcher, signal))
    }

    async fn until_idle(&self) {
        if let Some(launcher) = self.stand.look(Scene::launcher) {
            processes::until_idle(launcher, self.stand.stretched(BUSY)).await;
        }
    }
}

/// Reads to the end; `true`: so many lines came before that.
async fn read(output: &mut TalkOut, printed: &mut Capture, most: usize) -> bool {
    let mut lines = 0;
    while let Some(said) = output.next().await {
        match said {
            Said::Stdout(chunk) => {
                lines += chunk.split(|&byte| byte == b'\n').count() - 1;
                printed.stdout(chunk);
            }
            Said::Stderr(chunk) => printed.stderr(chunk),
            Said::Closed(_) => {}
        }
        if lines >= most {
            return true;
        }
    }
    false
}

/// What becomes of the output of a poll.
fn take(scene: &mut Scene, strike: Option<Strike>, output: PollOutput) {
    let has_events = !output.events.is_empty();
    match strike {
        Some(Strike::LostCommit | Strike::Kill(_)) if has_events => scene.struck(BEFORE_COMMIT.to_owned()),
        _ => {
            scene.turns += 1;
            scene.commit(output);
        }
    }
    scene.ended(None);
}

fn launched<T>(result: Result<T, LaunchError>) -> Result<T, PollError> {
    result.map_err(|error| PrepareError::from(error).into())
}
