//! The configuration: built-in defaults, a YAML file, the environment; later wins.
//!
//! figment merges the layers and remembers where each value came from. Then one walk reads the merged tree, section by
//! section, and collects every fault, so that a configuration is corrected in one go: an unknown key, a wrong type, an
//! impossible value. A configuration with a fault is not used at all, and no message shows a secret.
//!
//! A section is one file here: its struct, its keys, their defaults and what they mean. The walk notes all of it in a
//! [`Survey`], which the reference in docs and `attune config show` are made of.

mod capabilities;
mod database;
mod directories;
pub mod env;
mod error;
mod limits;
pub mod reference;
mod runtime;
mod section;
mod sensor;
mod server;
mod setting;
mod sources;
mod value;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;

pub use database::{DatabaseConfig, DatabaseUrl};
pub use error::{ConfigError, Fault, Origin};
pub use limits::LimitsConfig;
pub use runtime::RuntimeConfig;
pub use sensor::SensorConfig;
pub use server::ServerConfig;
pub use setting::{Setting, Survey};
pub use sources::Sources;
pub use worker::WorkerConfig;

use section::Section;

use crate::registration::LEASE;

/// Everything that an operator can set.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the facts are.
    pub database: DatabaseConfig,
    /// The service that runs sensors; present after loading.
    pub sensor: Option<SensorConfig>,
    /// The service that runs actions; present after loading.
    pub worker: Option<WorkerConfig>,
    /// How long a verified runtime is believed, and where environments are.
    pub runtime: RuntimeConfig,
    /// Where the API listens.
    pub server: ServerConfig,
    /// How much one thing may take.
    pub limits: LimitsConfig,
    /// How long a worker that is not heard keeps its place.
    pub lease: Duration,
    /// What this machine must not lose: the private `PostgreSQL`, the API's address and token.
    pub data_dir: PathBuf,
    /// What this machine can make again: unpacked packs, results of verification.
    pub cache_dir: PathBuf,
}

impl Config {
    /// Loads the configuration of this process: the file that `ATTUNE_CONFIG` names, else `config.yaml` when there is
    /// one, and the environment.
    pub fn load() -> Result<Self, ConfigError> {
        Self::load_from(None)
    }

    /// Loads the configuration of this process with the file that `--config` names.
    pub fn load_from(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::build(&Sources::of_process(file))
    }

    /// Makes a configuration from what is given, and from nothing else but the file that this names.
    pub fn build(sources: &Sources) -> Result<Self, ConfigError> {
        let (config, survey) = Self::survey(sources);
        if survey.faults.is_empty() { Ok(config) } else { Err(ConfigError { faults: survey.faults }) }
    }

    /// The same with all that is known of each key. What is at fault counts as not given, so a configuration with faults
    /// is for looking at only.
    pub fn survey(sources: &Sources) -> (Self, Survey) {
        let mut survey = Survey { file: sources.path(), ..Survey::default() };
        let figment = sources.merge(&mut survey.faults);
        let config = Section::root(&figment, &mut survey, |root| Self::read_sections(root, sources));
        survey.faults.sort_by(|a, b| (&a.origin, &a.key).cmp(&(&b.origin, &b.key)));
        (config, survey)
    }

    /// Keeps its data in another directory; the caches go along, unless they were put elsewhere.
    pub fn move_data_to(&mut self, data_dir: PathBuf) {
        if self.cache_dir.starts_with(&self.data_dir) {
            self.cache_dir = data_dir.join("cache");
        }
        self.data_dir = data_dir;
    }

    fn read_sections(root: &mut Section<'_>, sources: &Sources) -> Self {
        let host = sources.hostname.as_str();
        let data_dir = directories::data_dir(root, sources);
        Self {
            cache_dir: directories::cache_dir(root, sources, &data_dir),
            data_dir,
            lease: lease(root),
            database: root.secret_section("database", database::ABOUT, DatabaseConfig::read),
            sensor: Some(root.section("sensor", sensor::ABOUT, |keys| SensorConfig::read(keys, host))),
            worker: Some(root.section("worker", worker::ABOUT, |keys| WorkerConfig::read(keys, host))),
            runtime: root.section("runtime", runtime::ABOUT, |keys| RuntimeConfig::read(keys, sources)),
            server: root.section("server", server::ABOUT, ServerConfig::read),
            limits: root.section("limits", limits::ABOUT, LimitsConfig::read),
        }
    }
}

/// Below this a busy machine would lose its place for no reason.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

fn lease(root: &mut Section<'_>) -> Duration {
    let about = "How long a worker that is not heard keeps its sensors and executions before others take them over. \
                 The same for all programs on one database.";
    root.read_or("lease", "a number of seconds of at least 2", LEASE, about, |given| {
        section::duration(given).filter(|lease| *lease >= SHORTEST_LEASE)
    })
}

/// The built-in defaults on this machine, whatever file and variables there are.
impl Default for Config {
    fn default() -> Self {
        let sources = Sources::of_process(None);
        Section::root(&Figment::new(), &mut Survey::default(), |root| Self::read_sections(root, &sources))
    }
}
