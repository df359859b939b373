//! What a command finds when it is typed by the run of an action that may ask something of the API.

use anyhow::Context as _;
use attune_common::config::env;
use serde::Deserialize;

/// Where the API is, and the token of the run.
#[derive(Deserialize)]
pub(crate) struct RunContext {
    pub(crate) url: String,
    pub(crate) token: String,
}

/// The file.
#[derive(Deserialize)]
struct Document {
    api: RunContext,
}

impl RunContext {
    /// The context of the run that types this command; `None`: a person does, or a run that may ask nothing.
    pub(crate) fn find() -> anyhow::Result<Option<Self>> {
        let Some(path) = std::env::var_os(env::RUN_CONTEXT).filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        let place = || format!("can not read {}, which {} names", path.display(), env::RUN_CONTEXT);
        let text = std::fs::read_to_string(&path).with_context(place)?;
        let document: Document = serde_json::from_str(&text).with_context(place)?;
        Ok(Some(document.api))
    }
}
