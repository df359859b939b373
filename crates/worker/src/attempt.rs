//! One attempt of an execution: run, and recorded.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attune_common::config::Config;
use attune_common::repositories::execution::{self, Claimed};
use attune_core::usage::{Figures, Spent};
use attune_executor::finish::{Finish, Finisher, Outcome, Recorded};
use attune_executor::usage::Meter;
use attune_process::{self as process, Stream, StreamLimit};
use attune_runtimes::environment::Progress;
use attune_runtimes::equipment::Equipment;
use attune_runtimes::host::Hosts;
use attune_runtimes::launch::{Launcher, PrepareError};
use attune_runtimes::spent::spent_by;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::log::{Log, Streams};
use crate::program::{self, Found, StartError};
use crate::{pass, registration, result, verdict};

/// How often the log of a running execution is stored.
const LOG_PERIOD: Duration = Duration::from_secs(1);

/// What bounds a run when its action does not say otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    time: Duration,
    pub(crate) result: usize,
    log: usize,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        let bytes = |count| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            time: registration::section(config).execution_timeout,
            result: bytes(config.limits.result_bytes),
            log: bytes(config.limits.execution_log_bytes),
        }
    }
}

/// What ends a run before its time.
#[derive(Debug)]
pub(crate) struct Stop {
    /// This worker ends, which says nothing about the execution.
    pub(crate) all: CancellationToken,
    /// Somebody cancelled the execution; also fired by `all`.
    pub(crate) this: CancellationToken,
}

impl Stop {
    /// What a run counts as that was ended. `None`: as none, it is given back.
    fn outcome(&self) -> Option<Outcome> {
        (!self.all.is_cancelled()).then_some(Outcome::Cancelled)
    }
}

/// Runs what was claimed.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) limits: Limits,
    pub(crate) pool: PgPool,
    pub(crate) worker: i64,
    /// Where the API says where it is.
    pub(crate) data_dir: PathBuf,
    pub(crate) equipment: Arc<Equipment>,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) hosts: Hosts,
    pub(crate) finisher: Finisher,
    pub(crate) meter: Meter,
    /// Told when a run lacked a runtime that this machine is said to have.
    pub(crate) missing: Notify,
}

impl Runner {
    /// Runs one attempt, and says how it ended. One that ended because this worker does is not recorded: it is given back.
    pub(crate) async fn run(&self, claimed: Claimed, stop: Stop) -> Option<Finish> {
        let streams = Streams::new(StreamLimit::kill(self.limits.result), self.limits.log);
        let log = streams.log.clone();
        let (mut spent, started) = (Spent::default(), Instant::now());
        let attempted = self.attempt(&claimed, streams, &mut spent, stop).await;
        let took = started.elapsed();
        let outcome = match attempted {
            Ok(Some(outcome)) => outcome,
            Ok(None) => return None,
            Err(error) => self.not_started(&claimed, &error),
        };
        if let Some(action) = &claimed.action {
            self.meter.note(action.id, &Figures::of_run(verdict::ended(&outcome), took, &spent));
        }
        let retry_in = verdict::retry_in(&claimed, &outcome, rand::random());
        Some(Finish { execution: claimed.id, attempt: claimed.attempt, outcome, retry_in, log: log.take() })
    }

    /// Records how an attempt ended.
    pub(crate) async fn record(&self, finish: Finish) {
        let (execution, attempt) = (finish.execution, finish.attempt);
        if self.finisher.finish(finish).await == Recorded::Lost {
            tracing::warn!(
                execution.id = execution,
                execution.attempt = attempt,
                "The attempt had been declared lost"
            );
        }
    }

    async fn attempt(
        &self,
        claimed: &Claimed,
        mut streams: Streams,
        spent: &mut Spent,
        stop: Stop,
    ) -> Result<Option<Outcome>, StartError> {
        let log = streams.log.clone();
        let Some(found) = stop.this.run_until_cancelled(self.find(claimed, &log)).await else {
            return Ok(stop.outcome());
        };
        let (found, limits) = (found?, self.process_limits(claimed)?);
        let pass = pass::issue(self, claimed).await?;
        // What a host knows outlives the run, and a pass must not.
        if pass.is_none() {
            let warm = self.run_warm(claimed, &found, &limits, &log, spent, &stop.this);
            if let Some(outcome) = self.while_logging(claimed, &log, warm).await? {
                return Ok(if outcome == Outcome::Cancelled { stop.outcome() } else { Some(outcome) });
            }
        }
        let prepared = program::prepare(&self.launcher, &found, claimed, pass.as_ref())?;
        let (time, result_limit) = (limits.time, limits.stdout.bytes);
        let program = prepared.program(claimed.params.to_string().into_bytes(), limits);
        let directory = program.cwd.clone();
        let run = process::run(program, &mut streams, stop.this.cancelled());
        let finished = self.while_logging(claimed, &log, run).await;
        if let Some(pass) = &pass {
            pass::end(pass, &self.pool, &directory).await;
        }
        let finished = finished.map_err(PrepareError::from)?;
        *spent = spent_by(&finished);
        let stdout = streams.stdout.into_bytes();
        let outcome = outcome_of(finished.outcome, &stdout, &log, time, result_limit);
        Ok(if outcome == Outcome::Cancelled { stop.outcome() } else { Some(outcome) })
    }

    /// What is waited for stands in the log, and takes nothing of the execution's time.
    async fn find(&self, claimed: &Claimed, log: &Log) -> Result<Found, StartError> {
        let see = |progress: &Progress| log.push(format!("Environment: {progress}\n").as_bytes());
        let find = program::find(&self.equipment, &self.launcher, claimed, see);
        self.while_logging(claimed, log, find).await
    }

    fn process_limits(&self, claimed: &Claimed) -> Result<process::Limits, StartError> {
        let own = claimed.action.as_ref().and_then(|action| action.timeout);
        let mut limits = process::Limits {
            time: own.map_or(self.limits.time, |seconds| {
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            }),
            stdout: StreamLimit::kill(self.limits.result),
            // The log itself knows what is too much, and goes on without it.
            stderr: StreamLimit::truncate(self.limits.log),
            ..process::Limits::default()
        };
        program::confinement(claimed)?.apply(&mut limits);
        limits.stdout.bytes = limits.stdout.bytes.min(self.limits.result);
        Ok(limits)
    }

    /// Stores the log while `run` goes on. An append that is under way when it ends is waited for: dropped, nobody would
    /// know whether it is in.
    async fn while_logging<T>(&self, claimed: &Claimed, log: &Log, run: impl Future<Output = T>) -> T {
        let over = CancellationToken::new();
        let run = async {
            let ended = run.await;
            over.cancel();
            ended
        };
        let store = async {
            while over.run_until_cancelled(tokio::time::sleep(LOG_PERIOD)).await.is_some() {
                self.store(claimed, log).await;
            }
        };
        tokio::join!(run, store).0
    }

    async fn store(&self, claimed: &Claimed, log: &Log) {
        let chunk = log.take();
        if chunk.is_empty() {
            return;
        }
        let stored =
            execution::append_log(&self.pool, self.worker, claimed.id, claimed.attempt, &chunk).await;
        if let Err(error) = stored {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                execution.id = claimed.id,
                "A log could not be stored yet"
            );
            log.put_back(chunk);
        }
    }

    fn not_started(&self, claimed: &Claimed, error: &StartError) -> Outcome {
        tracing::warn!(execution.id = claimed.id, action.ref = %claimed.action_ref, error = %error, "An execution could not be started");
        if error.is_missing_runtime() {
            self.missing.notify_one();
        }
        Outcome::Failed { result: None, error: error.to_string() }
    }
}

/// What the end of a program means for its execution.
fn outcome_of(
    ended: process::Outcome,
    stdout: &[u8],
    log: &Log,
    time: Duration,
    result_limit: usize,
) -> Outcome {
    let failed = |error: String| Outcome::Failed { result: Some(result::value(stdout)), error };
    match ended {
        process::Outcome::Exited(0) => Outcome::Succeeded(result::value(stdout)),
        process::Outcome::Exited(_) | process::Outcome::Signalled(_) | process::Outcome::Excess(_) => {
            failed(with_reason(format_args!("it {ended}"), log))
        }
        process::Outcome::TimedOut => timed_out(time),
        process::Outcome::OutputLimit(Stream::Stdout | Stream::Stderr) => too_large(result_limit),
        process::Outcome::Stopped => Outcome::Cancelled,
    }
}

pub(crate) fn timed_out(limit: Duration) -> Outcome {
    Outcome::TimedOut { error: format!("it ran longer than its time limit of {} s", limit.as_secs_f64()) }
}

pub(crate) fn too_large(limit: usize) -> Outcome {
    Outcome::Failed { result: None, error: format!("its result is larger than {limit} bytes") }
}

/// What went wrong, and the last lines of the log.
pub(crate) fn with_reason(what: impl Display, log: &Log) -> String {
    match log.last_lines() {
        reason if reason.is_empty() => what.to_string(),
        reason => format!("{what}: {reason}"),
    }
}
