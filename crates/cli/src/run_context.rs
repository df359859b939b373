//! What a command finds when it is typed by the run of an action that may ask something of the API.

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
        let Some(path) = std::env::var_os(env::RUN_CONTEXT).filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        let place = || format!("can not read {}, which {} names", path.display(), env::RUN_CONTEXT);
        let text = std::fs::read_to_string(&path).with_context(place)?;
        let document: Value = serde_json::from_str(&text).with_context(place)?;
        let part = |name: &str| document["api"][name].as_str().map(str::to_owned);
        let found = part("url").zip(part("token")).map(|(url, token)| Self { url, token });
        found.map(Some).with_context(|| format!("{} names no API and no token", path.display()))
    }
}
