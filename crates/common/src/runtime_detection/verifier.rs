//! From a row to a verdict: its commands in turn, many rows side by side.
//!
//! A row is data that somebody wrote with plain SQL. So its commands run with a time limit, an output cap, no stdin and
//! next to no environment, and all of them together have a limit too: a row of a thousand hanging commands costs what a
//! few of them cost.

use std::ffi::OsString;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Instant;

use attune_core::runtime::distributions::{Candidate, Command, Distributions, Verification};
use attune_core::version::Version;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use super::cache::{Cache, Key, Remembered};
use super::run::{self, Conditions, Failure};
use super::verdict::{Found, Verdict};
use crate::config::{Config, LimitsConfig, env};
use crate::models::Runtime;

/// The commands of a row are tried one after the other for this many times what one may take; then those left, side by side.
const PATIENCE: u32 = 3;
/// Commands of one row that run at once when earlier ones hung.
const AT_ONCE: usize = 16;
/// Commands of one row that are tried at all.
const MOST: usize = 32;

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
        let distributions = Distributions::parse(&runtime.distributions);
        let candidates = match &distributions.verification {
            Verification::NotNeeded => return Verdict::taken_for_granted(Utc::now()),
            Verification::Missing(reason) => return Verdict::not_found((*reason).to_owned(), Utc::now()),
            Verification::Commands(candidates) => candidates,
        };
        let (tried, left) = candidates.split_at(candidates.len().min(MOST));
        match self.first_success(tried, trust).await {
            Ok(found) => check_version(&distributions, found),
            Err(mut reasons) => {
                if !left.is_empty() {
                    reasons.push(format!("{} more were not tried: {MOST} are the most", left.len()));
                }
                Verdict::not_found(reasons.join("; "), Utc::now())
            }
        }
    }

    async fn first_success(&self, candidates: &[Candidate], trust: Trust) -> Result<Found, Vec<String>> {
        let deadline = Instant::now() + self.conditions.time * PATIENCE;
        let mut reasons = Vec::new();
        for (tried, candidate) in candidates.iter().enumerate() {
            if Instant::now() >= deadline {
                return self.first_of_the_rest(&candidates[tried..], trust, reasons).await;
            }
            match self.try_candidate(candidate, trust).await {
                Ok(found) => return Ok(found),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons)
    }

    /// Commands that hang must not keep the others from being asked. Their order still decides.
    async fn first_of_the_rest(
        &self,
        rest: &[Candidate],
        trust: Trust,
        mut reasons: Vec<String>,
    ) -> Result<Found, Vec<String>> {
        let tries: Vec<_> = rest.iter().map(|candidate| self.try_candidate(candidate, trust)).collect();
        let mut answers = stream::iter(tries).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(found) => return Ok(found),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons)
    }

    async fn try_candidate(&self, candidate: &Candidate, trust: Trust) -> Result<Found, String> {
        let index = candidate.index;
        let command = candidate.command.as_ref().map_err(|fault| format!("command {index}: {fault}"))?;
        let explain = |failure: String| format!("`{}`: {failure}", command.binary.escape_debug());
        let binary = run::find(command, &self.conditions).map_err(|failure| explain(failure.to_string()))?;
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
        // What a hang or a failed start says is said of this moment, not of the binary.
        if let (Some(cache), Some(key), Ok(_) | Err(Failure::Mismatch(_))) = (&self.cache, key, &answer) {
            cache.remember(key, Remembered::new(&answer, at));
        }
        (answer.map_err(|failure| failure.to_string()), at)
    }
}

/// The version of a command that succeeded, or why it did not.
pub(super) type Answer = Result<Option<Version>, String>;

/// A runtime that is too old is not there; one that is a little old is.
fn check_version(distributions: &Distributions, found: Found) -> Verdict {
    let too_old = distributions.min_version.check(found.version.as_ref()).err();
    let a_little_old = distributions.recommended_version.check(found.version.as_ref()).err();
    let verdict = Verdict::found(found);
    match (too_old, a_little_old) {
        (Some(shortfall), _) => verdict.refused(format!("min_version: {shortfall}")),
        (None, Some(shortfall)) => {
            Verdict { warning: Some(format!("recommended_version: {shortfall}")), ..verdict }
        }
        (None, None) => verdict,
    }
}
