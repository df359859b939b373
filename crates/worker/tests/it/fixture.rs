//! A database with a pack, and workers on it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use attune_boot::Supervisor;
use attune_common::config::{Config, DatabaseUrl, WorkerConfig};
use attune_common::registration::LEASE;
use attune_common::repositories::{execution, execution_order};
use attune_hints::{Hints, Topic};
use attune_testkit::TestDb;
use attune_worker::{Surroundings, WorkerService};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use tempfile::TempDir;

use crate::pack;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// For tests that wait for the end of a lease, or for a renewal.
const SHORT_LEASE: Duration = Duration::from_secs(5);

pub(crate) struct Fixture {
    pub(crate) db: TestDb,
    pub(crate) hints: Hints,
    pub(crate) cache: TempDir,
    /// The lease of its workers.
    pub(crate) lease: Duration,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self {
            db: TestDb::migrated().await,
            hints: Hints::default(),
            cache: TempDir::new().unwrap(),
            lease: LEASE,
        }
    }

    /// With one action `demo.act` of `runtime`.
    pub(crate) async fn with_action(runtime: &str, script: &str) -> Self {
        let fixture = Self::new().await;
        fixture.add_action(runtime, script).await;
        fixture
    }

    /// The same with workers whose lease is short.
    pub(crate) fn with_short_lease(self) -> Self {
        Self { lease: SHORT_LEASE, ..self }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    pub(crate) async fn add_action(&self, runtime: &str, script: &str) {
        pack::store(self.pool(), "demo", &[("actions/act", script)]).await;
        self.execute(&format!(
            "INSERT INTO action (ref, pack, pack_ref, runtime, runtime_ref, entrypoint)
             SELECT 'demo.act', (SELECT id FROM pack WHERE ref = 'demo'), 'demo', id, ref, 'actions/act'
             FROM runtime WHERE ref = '{runtime}'"
        ))
        .await;
    }

    pub(crate) async fn execute(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await.unwrap();
    }

    pub(crate) fn config(&self, name: &str) -> Config {
        let mut config = Config::default();
        config.database.url = DatabaseUrl::parse(&self.db.url);
        config.cache_dir = self.cache.path().into();
        config.lease = self.lease;
        config.runtime.environments_dir = self.cache.path().join("environments");
        config.worker = config.worker.map(|worker| WorkerConfig { worker_name: name.to_owned(), ..worker });
        config
    }

    /// A worker in this process, not started yet.
    pub(crate) fn service(&self, config: Config) -> WorkerService {
        let (pool, hints) = (self.pool().clone(), self.hints.clone());
        WorkerService::with(Surroundings { pool, hints, supervisor: Supervisor::default() }, config)
    }

    pub(crate) async fn start(&self) -> WorkerService {
        let service = self.service(self.config("w"));
        service.start().await.unwrap();
        service
    }

    /// A worker as a program of its own.
    pub(crate) fn spawn(&self, name: &str, variables: &[(&str, &str)]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_attune-worker"))
            .current_dir(self.cache.path())
            .env("DATABASE_URL", &self.db.url)
            .env("ATTUNE__CACHE_DIR", self.cache.path())
            .env("ATTUNE__LEASE", self.lease.as_secs().to_string())
            .env("ATTUNE__WORKER__WORKER_NAME", name)
            .envs(variables.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub(crate) async fn request(&self, params: Value) -> i64 {
        let id = execution_order::request(self.pool(), "demo.act", &params).await.unwrap().unwrap();
        self.hints.wake(Topic::Execution);
        id.id
    }

    /// Requests one execution and waits for its end.
    pub(crate) async fn run(&self, params: Value) -> PgRow {
        let id = self.request(params).await;
        self.ended(id).await
    }

    pub(crate) async fn ended(&self, id: i64) -> PgRow {
        self.eventually(&format!(
            "SELECT * , status::text AS state FROM execution WHERE id = {id} AND finished IS NOT NULL"
        ))
        .await
    }

    /// Waits until the query has a row.
    pub(crate) async fn eventually(&self, query: &str) -> PgRow {
        let look = async {
            loop {
                let found =
                    sqlx::query(AssertSqlSafe(query.to_owned())).fetch_optional(self.pool()).await.unwrap();
                if let Some(row) = found {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("never: {query}"))
    }

    pub(crate) async fn log(&self, id: i64) -> String {
        let part = execution::LogPart { execution: id, attempt: None, after: (0, 0) };
        let chunks = execution::log(self.pool(), part, i64::MAX).await.unwrap();
        chunks.into_iter().map(|piece| String::from_utf8(piece.data).unwrap()).collect()
    }
}

pub(crate) fn state(row: &PgRow) -> String {
    row.get("state")
}

pub(crate) fn error(row: &PgRow) -> String {
    row.get::<Option<String>, _>("error").unwrap_or_default()
}

pub(crate) fn result(row: &PgRow) -> Value {
    row.get("result")
}
