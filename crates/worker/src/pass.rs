//! What a run gets that may ask something of the API: where that is, and a token that ends with the run. Both stand in a
//! private file, never in its environment or arguments.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, io};

use attune_common::config::env::{API_URL, RUN_CONTEXT};
use attune_common::db::is_transient;
use attune_common::repositories::execution::Claimed;
use attune_common::repositories::run_token;
use attune_core::pack::Permission;
use attune_core::run_token::RunToken;
use attune_runtimes::note;
use serde::Deserialize as _;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use crate::attempt::Runner;
use crate::program::StartError;

/// How long a run waits for a database that is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between tries.
const RETRY: Duration = Duration::from_millis(200);

/// Leave to ask.
#[derive(Debug)]
pub(crate) struct Pass {
    token: RunToken,
    url: String,
}

impl Pass {
    /// The pass of an attempt whose action asks for one.
    pub(crate) async fn issue(runner: &Runner, claimed: &Claimed) -> Result<Option<Self>, StartError> {
        let api = claimed.action.as_ref().map_or(&Value::Null, |action| &action.api);
        if permissions(api)?.is_empty() {
            return Ok(None);
        }
        let pass = Self { token: RunToken::new(rand::random()), url: address(&runner.data_dir)? };
        let deadline = Instant::now() + PATIENCE;
        let hash = pass.token.hash();
        loop {
            match run_token::insert(&runner.pool, &hash, runner.worker, claimed.id, claimed.attempt).await {
                Ok(true) => return Ok(Some(pass)),
                Ok(false) => return Err(StartError::Lost),
                Err(error) if is_transient(&error) && Instant::now() < deadline => sleep(RETRY).await,
                Err(error) => return Err(StartError::Token(error)),
            }
        }
    }

    /// Writes the file, and names it in a variable.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<(OsString, OsString)> {
        let context = json!({"api": {"url": self.url, "token": self.token.reveal()}});
        let file = note::write(directory, context.to_string().as_bytes())?;
        Ok((RUN_CONTEXT.into(), file.into()))
    }

    /// The run is over. Its token is worth nothing by then, so its row may as well stay for the reconcilers.
    pub(crate) async fn end(self, pool: &PgPool, directory: &Path) {
        note::blank(directory);
        if let Err(error) = run_token::delete(pool, &self.token.hash()).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "A token could not be removed yet");
        }
    }
}

fn permissions(api: &Value) -> Result<Vec<Permission>, StartError> {
    if api.is_null() {
        return Ok(Vec::new());
    }
    Vec::deserialize(api)
        .map_err(|fault| StartError::Api(format!("the api of its action is unusable: {fault}")))
}

/// Where the API is: as the worker's environment says, else as the API that runs here wrote down.
fn address(data_dir: &Path) -> Result<String, StartError> {
    let given = env::var(API_URL).ok().filter(|url| !url.trim().is_empty());
    let file = data_dir.join("api.url");
    let url = given.or_else(|| fs::read_to_string(&file).ok()).unwrap_or_default();
    match url.trim().trim_end_matches('/') {
        "" => Err(StartError::Api(format!(
            "its action may send events, and this worker knows no API: start one here, which writes {}, or set {API_URL}",
            file.display()
        ))),
        url => Ok(url.to_owned()),
    }
}
