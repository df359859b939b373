//! Who is asked for the runtimes of this machine, and what is logged about it.

use std::collections::HashMap;

use attune_core::names::{self, Called};
use serde_json::Value;
use sqlx::PgPool;
use tracing::{debug, info, warn};

use super::capabilities::{Detected, DetectedRuntime, Tier, available_names, configured_names};
use super::verdict::Verdict;
use super::verifier::{Trust, Verifier};
use crate::config::Config;
use crate::models::Runtime;
use crate::repositories;

/// Why the runtimes of this machine could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rows could not be read.
    #[error("the runtimes could not be read from the database")]
    ReadRuntimes(#[source] sqlx::Error),
}

/// A result of detection.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why detection happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// A service starts: what is found is logged, and what is remembered is believed.
    Start,
    /// It looks again: silently, and for what was absent it really looks.
    Again,
}

/// Finds out what this machine can run.
#[derive(Debug, Clone)]
pub struct RuntimeDetector {
    pool: PgPool,
}

impl RuntimeDetector {
    /// A detector over the rows of this database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// What a worker reports of this machine: see [`RuntimeDetector::detect`].
    pub async fn detect_capabilities(
        &self,
        config: &Config,
        env_var_name: &str,
        config_capabilities: Option<&HashMap<String, Value>>,
    ) -> Result<HashMap<String, Value>> {
        let detected = self.detect(config, env_var_name, config_capabilities, Round::Start).await?;
        Ok(detected.capabilities)
    }

    /// What this machine can run: by the environment variable of that name, else by the configuration's capabilities,
    /// else by the database.
    pub async fn detect(
        &self,
        config: &Config,
        env_var_name: &str,
        config_capabilities: Option<&HashMap<String, Value>>,
        round: Round,
    ) -> Result<Detected> {
        round.say("Detecting worker capabilities...");
        let variable = std::env::var_os(env_var_name).map(|value| value.to_string_lossy().into_owned());
        if let Some(detected) = by_hand(variable.as_deref(), config_capabilities) {
            let source = if detected.tier == Tier::Environment { env_var_name } else { "the configuration" };
            round.say(&format!("Using runtimes from {source}: {:?}", detected.names));
            return Ok(detected);
        }
        let verifier = Verifier::configured(config).await;
        let verdicts = self.verify_rows(&verifier, round).await?;
        Ok(Detected::verified(&verdicts, config_capabilities))
    }

    /// The lower-cased names of the runtimes that this machine has, ordered by their refs; nothing is taken from a cache.
    pub async fn detect_from_database(&self) -> Result<Vec<String>> {
        let verifier = Verifier::new(&Config::default().limits);
        let verdicts = self.verify_rows(&verifier, Round::Start).await?;
        Ok(available_names(&verdicts))
    }

    /// The rows that these names mean, ordered by ref: by name, ref, last part of the ref, or alias.
    pub async fn match_runtimes(&self, names: &[String]) -> Result<Vec<DetectedRuntime>> {
        let runtimes = self.rows().await?;
        let meant = |runtime: &&Runtime| {
            let called = Called { name: &runtime.name, r#ref: &runtime.r#ref, aliases: &runtime.aliases };
            names.iter().any(|name| called.answers_to(name))
        };
        Ok(runtimes.iter().filter(meant).map(DetectedRuntime::named).collect())
    }

    /// The rows that this machine may take work for: those verified, or those that the names given by hand mean now.
    pub async fn claimable(&self, detected: &Detected) -> Result<Vec<DetectedRuntime>> {
        match detected.tier {
            Tier::Database => Ok(detected.runtimes.clone()),
            Tier::Environment | Tier::Configuration => self.match_runtimes(&detected.names).await,
        }
    }

    /// Whether this machine has the runtime; nothing is taken from a cache.
    pub async fn verify_runtime_available(runtime: &Runtime) -> bool {
        Verifier::new(&Config::default().limits).verify(runtime, Trust::Nothing).await.available
    }

    async fn verify_rows(&self, verifier: &Verifier, round: Round) -> Result<Vec<(Runtime, Verdict)>> {
        round.say("Detecting available runtimes from database...");
        let runtimes = self.rows().await?;
        round.say(&format!("Found {} runtime(s) in database", runtimes.len()));
        let verdicts = verifier.verify_all(&runtimes, round.trust()).await;
        let verdicts: Vec<_> = runtimes.into_iter().zip(verdicts).collect();
        for (runtime, verdict) in &verdicts {
            round.report(runtime, verdict);
        }
        round.say(&format!("Detected available runtimes: {:?}", available_names(&verdicts)));
        Ok(verdicts)
    }

    async fn rows(&self) -> Result<Vec<Runtime>> {
        repositories::runtime::list(&self.pool).await.map_err(Error::ReadRuntimes)
    }
}

/// What was given by hand: the variable's names, even when it has none, else those of the configuration, if it has any.
fn by_hand(variable: Option<&str>, given: Option<&HashMap<String, Value>>) -> Option<Detected> {
    if let Some(list) = variable {
        return Some(Detected::by_hand(Tier::Environment, names::normalise(list.split(',')), given));
    }
    configured_names(given).map(|names| Detected::by_hand(Tier::Configuration, names, given))
}

impl Round {
    fn trust(self) -> Trust {
        match self {
            Self::Start => Trust::Everything,
            Self::Again => Trust::Presence,
        }
    }

    /// Plain text, since operators search their logs for these lines.
    fn say(self, line: &str) {
        match self {
            Self::Start => info!("{line}"),
            Self::Again => debug!("{line}"),
        }
    }

    fn report(self, runtime: &Runtime, verdict: &Verdict) {
        let Runtime { name, r#ref, .. } = runtime;
        if !verdict.available {
            let reason = verdict.reason.as_deref().unwrap_or("no reason is known");
            return debug!("✗ Runtime not available: {name} ({ref}): {reason}");
        }
        self.say(&format!("✓ Runtime available: {name} ({ref})"));
        if let (Self::Start, Some(warning)) = (self, &verdict.warning) {
            warn!("Runtime {name} ({ref}): {warning}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(runtimes: Value) -> HashMap<String, Value> {
        HashMap::from([("runtimes".to_owned(), runtimes), ("custom_feature".to_owned(), json!(true))])
    }

    #[test]
    fn the_variable_comes_before_the_configuration() {
        let detected = by_hand(Some(" Python, shell,,SHELL"), Some(&given(json!(["node"])))).unwrap();
        assert_eq!(
            (detected.tier, detected.names),
            (Tier::Environment, vec!["python".into(), "shell".into()])
        );
        assert_eq!(
            json!(detected.capabilities),
            json!({"runtimes": ["python", "shell"], "custom_feature": true})
        );
    }

    #[test]
    fn a_variable_that_is_set_but_empty_means_none() {
        for empty in ["", " ", ",", " , "] {
            let detected = by_hand(Some(empty), Some(&given(json!(["node"])))).unwrap();
            assert_eq!((detected.tier, detected.names), (Tier::Environment, vec![]));
            assert_eq!(detected.capabilities["runtimes"], json!([]));
        }
    }

    #[test]
    fn without_the_variable_the_configuration_counts_when_it_names_any() {
        let detected = by_hand(None, Some(&given(json!(["Node", " node", "Go"])))).unwrap();
        assert_eq!((detected.tier, detected.names), (Tier::Configuration, vec!["node".into(), "go".into()]));
        assert_eq!(by_hand(None, Some(&given(json!("a, b")))).unwrap().names, ["a", "b"]);
        for none in [json!([]), json!([""]), json!(null), json!(true)] {
            assert_eq!(by_hand(None, Some(&given(none))), None);
        }
        assert_eq!(by_hand(None, None), None);
    }
}
