//! What a command finds when it is typed by the run of an action or a sensor that may ask something of the API.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use attune_common::config::env;
use serde_json::Value;

/// Where the API is, and the token of the run.
pub(crate) struct RunContext {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl RunContext {
    /// The context of the run that types this command; `None`: a person does, or a run that may ask nothing.
    pub(crate) fn find() -> anyhow::Result<Option<Self>> {
        if let Some(path) = named(env::RUN_CONTEXT) {
            // An action has this file for nothing else.
            let found = Self::read(&path, env::RUN_CONTEXT)?;
            return found.map(Some).with_context(|| format!("{} names no API and no token", path.display()));
        }
        named(env::SENSOR_CONTEXT).map_or(Ok(None), |path| Self::read(&path, env::SENSOR_CONTEXT))
    }

    fn read(path: &Path, variable: &str) -> anyhow::Result<Option<Self>> {
        let place = || format!("cannot read {}, which {variable} names", path.display());
        let text = std::fs::read_to_string(path).with_context(place)?;
        let document: Value = serde_json::from_str(&text).with_context(place)?;
        let part = |name: &str| document["api"][name].as_str().map(str::to_owned);
        Ok(part("url").zip(part("token")).map(|(url, token)| Self { url, token }))
    }
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}
