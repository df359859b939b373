//! The pass of an attempt: kept in the database while it runs, and written where its program finds it.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use attune_common::config::env::RUN_CONTEXT;
use attune_common::db::is_transient;
use attune_common::repositories::execution::Claimed;
use attune_common::repositories::run_token;
use attune_runtimes::note;
use attune_runtimes::pass::Pass;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use crate::attempt::Runner;
use crate::program::StartError;

/// How long a run waits for a database that is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between tries.
const RETRY: Duration = Duration::from_millis(200);

/// The pass of an attempt whose action asks for one.
pub(crate) async fn issue(runner: &Runner, claimed: &Claimed) -> Result<Option<Pass>, StartError> {
    let api = claimed.action.as_ref().map_or(&Value::Null, |action| &action.api);
    let pass = Pass::new(api, &runner.data_dir, rand::random()).map_err(StartError::Api)?;
    let Some(pass) = pass else { return Ok(None) };
    let (deadline, hash) = (Instant::now() + PATIENCE, pass.hash());
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
pub(crate) fn write(pass: &Pass, directory: &Path) -> io::Result<(OsString, OsString)> {
    let file = note::write(directory, json!({"api": pass.context()}).to_string().as_bytes())?;
    Ok((RUN_CONTEXT.into(), file.into()))
}

/// The run is over. Its token is worth nothing by then, so its row may as well stay for the reconcilers.
pub(crate) async fn end(pass: &Pass, pool: &PgPool, directory: &Path) {
    note::blank(directory);
    if let Err(error) = run_token::delete(pool, &pass.hash()).await {
        tracing::debug!(error = &error as &dyn std::error::Error, "A token could not be removed yet");
    }
}
