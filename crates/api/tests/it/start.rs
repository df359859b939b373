//! Starting and stopping: address, token, port.

use attune_api::{ApiService, StartError};
use attune_common::config::Config;
use attune_executor::ExecutorService;
use attune_hints::Hints;
use attune_testkit::TestDb;
use tokio_util::sync::CancellationToken;

use crate::client::{Request, send};
use crate::server::Server;

async fn start(db: &TestDb, config: &Config) -> Result<ApiService, StartError> {
    let executor = ExecutorService::new(db.pool.clone(), Hints::default(), config).await.unwrap();
    ApiService::start(config, db.pool.clone(), executor.ingest().clone(), Hints::default()).await
}

#[tokio::test]
async fn the_address_is_published_and_taken_back() {
    let (db, data_dir) = (TestDb::migrated().await, tempfile::tempdir().unwrap());
    let mut config = Config { data_dir: data_dir.path().join("new"), ..Config::default() };
    config.server.port = 0;
    let service = start(&db, &config).await.unwrap();
    let published = std::fs::read_to_string(config.data_dir.join("api.url")).unwrap();
    assert_eq!(published.trim(), service.url());
    let address = published.trim().strip_prefix("http://").unwrap().parse().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(service.serve(stop.clone()));
    assert_eq!(send(address, &Request::get("/api/health")).await.ok(200)["status"], "ok");
    stop.cancel();
    serving.await.unwrap();
    assert!(!config.data_dir.join("api.url").exists());
    // The next start has the same token, which clients may have noted.
    let token = || std::fs::read_to_string(config.data_dir.join("api.token")).unwrap();
    let before = token();
    start(&db, &config).await.unwrap();
    assert_eq!(token(), before);
}

#[tokio::test]
async fn a_taken_port_and_a_foreign_host_stop_the_start_with_a_reason() {
    let server = Server::start_empty().await;
    let mut config = Config { data_dir: server.data_dir.path().to_owned(), ..Config::default() };
    config.server.port = server.address.port();
    let taken = start(&server.db, &config).await.unwrap_err().to_string();
    assert!(taken.contains("is taken"), "{taken}");
    config.server.host = "0.0.0.0".to_owned();
    let refused = start(&server.db, &config).await.unwrap_err().to_string();
    assert!(refused.contains("loopback only"), "{refused}");
    // The one that runs is still the one that is published.
    let published = std::fs::read_to_string(server.data_dir.path().join("api.url")).unwrap();
    assert_eq!(published.trim(), format!("http://{}", server.address));
}
