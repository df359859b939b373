//! From a row to a verdict: its commands side by side, and many rows side by side.
//!
//! All commands are asked, because several versions may be there; the first success by priority decides all the same. What
//! has decided does not wait long for the others.
//!
//! A row is data that somebody wrote with plain SQL. So its commands run with a time limit, an output cap, no stdin and
//! next to no environment, and only so many of them run at all and at once: a row of a thousand hanging commands costs what
//! two of them cost.

use std::ffi::OsString;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use attune_core::runtime::distributions::{Candidate, Command, Distributions, Verification};
use attune_core::version::Version;
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::cache::{Cache, Key, Remembered};
use super::run::{self, Conditions, Failure};
use super::verdict::{Failed, Found, Verdict};
use crate::config::{Config, LimitsConfig, env};
use crate::models::Runtime;
use crate::readable;

/// Commands of one row that run at once.
const AT_ONCE: usize = 16;
/// Commands of one row that are tried at all.
const MOST: usize = 32;
/// How long a decision waits for commands of lower priority, which only add versions to it.
const OTHERS: Duration = Duration::from_secs(1);

/// Which of the cache's answers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// None: look.
    Nothing,
    /// That something is there, as long as its binary has not changed. An absence may have ended meanwhile.
    Presence,
    /// All that are fresh.
    Everything,
}

/// Runs verification commands on this machine.
#[derive(Debug)]
pub struct Verifier {
    conditions: Conditions,
    cache: Option<Cache>,
}

impl Verifier {
    /// A verifier that remembers nothing.
    #[must_use]
    pub fn new(limits: &LimitsConfig) -> Self {
        let conditions = Conditions {
            path: std::env::var_os(env::PATH).unwrap_or_default(),
            home: std::env::var_os(env::HOME),
            time: limits.verification_timeout,
            output: usize::try_from(limits.verification_output_bytes).unwrap_or(usize::MAX),
        };
        Self { conditions, cache: None }
    }

    /// A verifier with the cache that this configuration describes.
    pub async fn configured(config: &Config) -> Self {
        let cache = if config.runtime.cache_ttl.is_zero() {
            None
        } else {
            Some(Cache::open(&config.cache_dir, config.runtime.cache_ttl).await)
        };
        Self { cache, ..Self::new(&config.limits) }
    }

    /// Looks for programs on `path` instead of on the PATH of this process.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<OsString>) -> Self {
        self.conditions.path = path.into();
        self
    }

    /// Verifies all of them side by side; the verdicts are in the order of the runtimes.
    pub async fn verify_all(&self, runtimes: &[Runtime], trust: Trust) -> Vec<Verdict> {
        let at_once = available_parallelism().map_or(2, |cores| cores.get() * 2);
        // Collected first: the compiler does not see that a stream over the bare closure may go to another thread.
        let verifications: Vec<_> = runtimes.iter().map(|runtime| self.verify(runtime, trust)).collect();
        let verdicts = stream::iter(verifications).buffered(at_once).collect().await;
        if let Some(cache) = &self.cache {
            cache.save(Utc::now()).await;
        }
        verdicts
    }

    /// Whether this machine has the runtime.
    pub async fn verify(&self, runtime: &Runtime, trust: Trust) -> Verdict {
        if let Some(reason) = readable::reason_in(&runtime.distributions) {
            return Verdict::not_found(format!("`distributions` {reason}"), Utc::now());
        }
        let distributions = Distributions::parse(&runtime.distributions);
        let candidates = match &distributions.verification {
            Verification::NotNeeded => return Verdict::taken_for_granted(Utc::now()),
            Verification::Missing(reason) => return Verdict::not_found((*reason).to_owned(), Utc::now()),
            Verification::Commands(candidates) => candidates,
        };
        let (tried, left) = candidates.split_at(candidates.len().min(MOST));
        let (found, failures) = self.ask_all(tried, trust).await;
        let verdict = match found.split_first() {
            Some((decisive, others)) => check_version(&distributions, decisive, others),
            None => Verdict::not_found(reasons(&failures, left.len()), Utc::now()),
        };
        Verdict { failures, ..verdict }
    }

    /// What the commands found and what did not count, each in the order of priority. Commands that have not answered soon
    /// after the decision are neither.
    async fn ask_all(&self, candidates: &[Candidate], trust: Trust) -> (Vec<Found>, Vec<Failed>) {
        let numbered = candidates.iter().enumerate();
        let tries: Vec<_> = numbered.map(|(place, candidate)| self.try_at(place, candidate, trust)).collect();
        let mut answers = stream::iter(tries).buffer_unordered(AT_ONCE);
        let mut answered: Vec<Option<Result<Found, Failed>>> = candidates.iter().map(|_| None).collect();
        let mut deadline = None;
        while let Some((place, answer)) = next_before(deadline, &mut answers).await {
            answered[place] = Some(answer);
            if deadline.is_none() && is_decided(&answered) {
                deadline = Some(Instant::now() + OTHERS);
            }
        }
        let (found, failed): (Vec<_>, Vec<_>) = answered.into_iter().flatten().partition(Result::is_ok);
        (found.into_iter().flatten().collect(), failed.into_iter().filter_map(Result::err).collect())
    }

    /// Answers come in any order, so each says whose it is.
    async fn try_at(
        &self,
        place: usize,
        candidate: &Candidate,
        trust: Trust,
    ) -> (usize, Result<Found, Failed>) {
        (place, self.try_candidate(candidate, trust).await)
    }

    async fn try_candidate(&self, candidate: &Candidate, trust: Trust) -> Result<Found, Failed> {
        let index = candidate.index;
        let fail = |reason: String, was_killed| Failed { command: index, reason, was_killed };
        let command =
            candidate.command.as_ref().map_err(|fault| fail(format!("command {index}: {fault}"), false))?;
        let explain = |Refusal { reason, was_killed }| {
            fail(format!("`{}`: {reason}", command.binary.escape_debug()), was_killed)
        };
        let binary = run::find(command, &self.conditions).map_err(|failure| explain(failure.into()))?;
        let (answer, at) = self.ask(&binary, command, trust).await;
        let version = answer.map_err(explain)?;
        Ok(Found { command: index, binary, version, at })
    }

    /// The cache's answer when it counts, else that of the command.
    async fn ask(&self, binary: &Path, command: &Command, trust: Trust) -> (Answer, DateTime<Utc>) {
        let key = Key::of(binary, command);
        if let (Some(cache), Some(key)) = (&self.cache, &key)
            && let Some(remembered) = cache.recall(key, trust, Utc::now())
        {
            return remembered.into_answer();
        }
        let answer = run::ask(binary, command, &self.conditions).await;
        let at = Utc::now();
        if let (Some(cache), Some(key), true) = (&self.cache, key, is_lasting(&answer)) {
            cache.remember(key, Remembered::new(&answer, at));
        }
        (answer.map_err(Refusal::from), at)
    }
}

/// What a hang, a failed start or a kill says is said of this moment, not of the binary.
fn is_lasting(answer: &Result<Option<Version>, Failure>) -> bool {
    match answer {
        Ok(_) => true,
        Err(failure) => matches!(failure, Failure::Mismatch(_)) && !failure.was_killed(),
    }
}

/// The version of a command that succeeded, or why it did not.
pub(super) type Answer = Result<Option<Version>, Refusal>;

/// Why a command did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: String,
    pub(super) was_killed: bool,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { reason: failure.to_string(), was_killed: failure.was_killed() }
    }
}

/// The next answer, if it comes before the deadline.
async fn next_before<T>(
    deadline: Option<Instant>,
    answers: &mut (impl Stream<Item = T> + Unpin),
) -> Option<T> {
    match deadline {
        None => answers.next().await,
        Some(deadline) => timeout_at(deadline, answers.next()).await.ok().flatten(),
    }
}

/// Whether a command succeeded and all before it have answered.
fn is_decided(answered: &[Option<Result<Found, Failed>>]) -> bool {
    answered.iter().map_while(Option::as_ref).any(Result::is_ok)
}

fn reasons(failures: &[Failed], left: usize) -> String {
    let mut reasons: Vec<_> = failures.iter().map(|failed| failed.reason.clone()).collect();
    if left > 0 {
        reasons.push(format!("{left} more were not tried: {MOST} are the most"));
    }
    reasons.join("; ")
}

/// A runtime that is too old is not there; one that is a little old is.
fn check_version(distributions: &Distributions, decisive: &Found, others: &[Found]) -> Verdict {
    let too_old = distributions.min_version.check(decisive.version.as_ref()).err();
    let a_little_old = distributions.recommended_version.check(decisive.version.as_ref()).err();
    let verdict = Verdict::found(decisive, others);
    match (too_old, a_little_old) {
        (Some(shortfall), _) => verdict.refused(format!("min_version: {shortfall}")),
        (None, Some(shortfall)) => {
            Verdict { warning: Some(format!("recommended_version: {shortfall}")), ..verdict }
        }
        (None, None) => verdict,
    }
}
