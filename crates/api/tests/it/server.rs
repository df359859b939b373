//! An API on a database of its own, with a small pack in it.

use std::net::SocketAddr;

use attune_api::{ApiService, Limits};
use attune_common::config::Config;
use attune_executor::ExecutorService;
use attune_hints::Hints;
use attune_runtimes::archive;
use attune_runtimes::files::Files;
use attune_testkit::TestDb;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use crate::client::{Answer, Request, send};

pub(crate) struct Server {
    pub(crate) db: TestDb,
    pub(crate) address: SocketAddr,
    pub(crate) data_dir: TempDir,
    pub(crate) token: String,
    _stop: DropGuard,
}

/// The pack's files.
pub(crate) const DEMO: [(&str, &str); 5] = [
    (
        "pack.yaml",
        "ref: demo\nname: Demo\nversion: 1.0.0\nconfig: {key: hidden, team: red}\nconfig_schema: {properties: {key: {type: string, secret: true}}}\n",
    ),
    ("triggers/high.yaml", "ref: demo.high\npayload_schema: {properties: {value: {type: integer}}}\n"),
    (
        "actions/tell.yaml",
        "ref: demo.tell\nruntime: core.shell\nentrypoint: actions/tell.sh\nparam_schema: {properties: {value: {type: integer}, tone: {default: calm}}, required: [value]}\n",
    ),
    ("actions/tell.sh", "#!/bin/sh\ncat\n"),
    (
        "rules/tell.yaml",
        "ref: demo.tell_high\ntrigger: demo.high\naction: demo.tell\naction_params: {value: \"{{ event.payload.value }}\"}\n",
    ),
];

pub(crate) fn archive_of(files: &[(&str, &str)]) -> Vec<u8> {
    let contents = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    archive::write(&Files::without_modes(contents).unwrap()).unwrap()
}

impl Server {
    /// With the demo pack loaded through the API itself.
    pub(crate) async fn start() -> Self {
        Self::start_within(Limits::default()).await
    }

    /// The same with other limits.
    pub(crate) async fn start_within(limits: Limits) -> Self {
        let server = Self::start_empty_within(limits).await;
        server.write(&Request::post("/api/packs", "application/gzip", archive_of(&DEMO))).await.ok(200);
        server
    }

    pub(crate) async fn start_empty() -> Self {
        Self::start_empty_within(Limits::default()).await
    }

    async fn start_empty_within(limits: Limits) -> Self {
        let (db, data_dir) = (TestDb::migrated().await, tempfile::tempdir().unwrap());
        let mut config = Config { data_dir: data_dir.path().to_owned(), ..Config::default() };
        config.server.port = 0;
        let hints = Hints::default();
        let executor = ExecutorService::new(db.pool.clone(), hints.clone(), &config).await.unwrap();
        let (pool, ingest) = (db.pool.clone(), executor.ingest().clone());
        let service = ApiService::start_within(limits, &config, pool, ingest, hints).await.unwrap();
        let address = service.url().strip_prefix("http://").unwrap().parse().unwrap();
        let token = std::fs::read_to_string(data_dir.path().join("api.token")).unwrap().trim().to_owned();
        let stop = CancellationToken::new();
        tokio::spawn(service.serve(stop.clone()));
        Self { db, address, data_dir, token, _stop: stop.drop_guard() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.address, &Request::get(path)).await
    }

    /// Sends a request with the token.
    pub(crate) async fn write(&self, request: &Request) -> Answer {
        send(self.address, &request.clone().with("authorization", &format!("Bearer {}", self.token))).await
    }

    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.db.pool).await.unwrap();
    }

    /// The one JSON value of a query.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&self.db.pool).await.unwrap()
    }
}
