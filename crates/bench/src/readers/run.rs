//! A run that goes on for as long as the benchmark, and its token: what an action with `api: [event.send]` would be given.

use std::path::Path;

use anyhow::Context as _;
use attune_core::run_token::RunToken;
use sqlx::PgPool;

/// Begins one in the private database of this directory, on a worker that is only a row.
pub(super) async fn begin(data_dir: &Path) -> anyhow::Result<RunToken> {
    let pool = PgPool::connect(&attune_localdb::url_of(data_dir)?).await?;
    let token = RunToken::new(rand::random());
    let begun = sqlx::query(
        "WITH host AS (
             INSERT INTO worker (name, worker_type, worker_role, status, last_heartbeat, lease_until)
             VALUES ('bench', 'local', 'action', 'active', NOW(), NOW() + INTERVAL '1 day') RETURNING id),
         run AS (
             INSERT INTO execution (action, action_ref, runtime, status, worker, started)
             SELECT a.id, a.ref, a.runtime, 'running', host.id, NOW() FROM action a, host WHERE a.ref = 'core.noop'
             RETURNING id, attempt)
         INSERT INTO run_token (hash, execution, attempt) SELECT $1, id, attempt FROM run",
    );
    let begun = begun.bind(token.hash().as_slice()).execute(&pool).await.context("cannot begin a run")?;
    anyhow::ensure!(begun.rows_affected() == 1, "there is no action for a run");
    pool.close().await;
    Ok(token)
}
