//! What a configuration is made from: a file and the environment, merged with the environment on top.
//!
//! Everything that the process or the machine contributes is a field of [`Sources`], so that a test states it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::env;
use super::error::{Fault, Origin};

/// Everything that a configuration depends on.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was asked for with `--config`.
    pub file: Option<PathBuf>,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// Where relative paths start, and where `config.yaml` is looked for.
    pub cwd: PathBuf,
    /// The machine's name.
    pub hostname: String,
    /// Whether the process runs as root.
    pub root: bool,
}

impl Sources {
    /// This process on this machine.
    #[must_use]
    pub fn of_process(file: Option<&Path>) -> Self {
        Self {
            file: file.map(Path::to_owned),
            env: std::env::vars_os().collect(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            root: rustix::process::geteuid().is_root(),
        }
    }

    /// The variable of this name, unless it is unset, empty or not text.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|(key, _)| key == name)?.1.to_str().filter(|value| !value.is_empty())
    }

    /// The file to read: one that was asked for must exist, `config.yaml` need not.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let asked = self.file.clone().or_else(|| self.variable(env::CONFIG).map(PathBuf::from));
        match asked {
            Some(path) => Some(self.cwd.join(path)),
            None => Some(self.cwd.join("config.yaml")).filter(|path| path.exists()),
        }
    }

    /// The layers on top of each other; what can not be read at all is a fault.
    pub(super) fn merge(&self, faults: &mut Vec<Fault>) -> Figment {
        let mut figment = Figment::new();
        if let Some(path) = self.path() {
            match read_file(&path) {
                Ok(dict) => figment = figment.merge(Layer { origin: Origin::File(path), dict }),
                Err(message) => {
                    faults.push(Fault { origin: Origin::File(path), key: String::new(), message });
                }
            }
        }
        self.variables(faults).into_iter().fold(figment, Figment::merge)
    }

    /// One layer per variable, so that each value still knows the variable that set it. `DATABASE_URL` comes first:
    /// what names Attune is meant for it more than what every program reads.
    fn variables(&self, faults: &mut Vec<Fault>) -> Vec<Layer> {
        let mut layers = Vec::new();
        if let Some(url) = self.variable(env::DATABASE_URL) {
            layers.push(Layer::of_variable(env::DATABASE_URL, &["database", "url"].map(str::to_owned), url));
        }
        let mut variables: Vec<_> =
            self.env.iter().filter_map(|(name, value)| Some((name.to_str()?, value))).collect();
        variables.sort_unstable();
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(env::PREFIX) else { continue };
            let key: Vec<String> = key.split(env::SEPARATOR).map(str::to_lowercase).collect();
            let Some(value) = value.to_str() else {
                faults.push(Fault {
                    origin: Origin::Environment(name.to_owned()),
                    key: key.join("."),
                    message: "is not UTF-8".to_owned(),
                });
                continue;
            };
            layers.push(Layer::of_variable(name, &key, value));
        }
        layers
    }
}

/// One source of values, as figment merges it.
struct Layer {
    origin: Origin,
    dict: Dict,
}

impl Layer {
    fn of_variable(name: &str, key: &[String], value: &str) -> Self {
        let nested = key
            .iter()
            .rev()
            .fold(Value::from(value), |value, part| Value::from(Dict::from([(part.clone(), value)])));
        Self { origin: Origin::Environment(name.to_owned()), dict: nested.into_dict().unwrap_or_default() }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        match &self.origin {
            Origin::File(path) => Metadata::from("file", path.as_path()),
            Origin::Environment(name) => Metadata::from("environment", Source::Custom(name.clone())),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.dict.clone())]))
    }
}

/// Where a value of the merged tree came from.
pub(super) fn origin_of(figment: &Figment, value: &Value) -> Origin {
    let source = figment.get_metadata(value.tag()).and_then(|metadata| metadata.source.clone());
    match source {
        Some(Source::File(path)) => Origin::File(path),
        Some(other) => Origin::Environment(other.to_string()),
        None => Origin::Environment(String::new()),
    }
}

fn read_file(path: &Path) -> Result<Dict, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("can not be read: {error}"))?;
    // Without the snippet, which would show the lines around the fault: they may hold a password.
    let value: Value =
        serde_saphyr::from_str_with_options(&text, serde_saphyr::options! { with_snippet: false })
            .map_err(|error| format!("is no YAML: {}", error.without_snippet()))?;
    match value {
        Value::Dict(_, dict) => Ok(dict),
        Value::Empty(..) => Ok(Dict::new()),
        _ => Err("is no set of sections".to_owned()),
    }
}
