//! A worker's place in the table.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use attune_worker::WorkerRegistration;
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::types::chrono::{DateTime, Utc};

use crate::fixture::{Fixture, error};
use crate::pack;

#[tokio::test]
async fn a_start_registers_with_role_and_capabilities() {
    let fixture = Fixture::new().await;
    let config = fixture.config("w");
    let mut registration = WorkerRegistration::new(fixture.pool().clone(), &config);
    assert_eq!((registration.worker_id(), registration.worker_name()), (None, "w"));
    registration.detect_capabilities(&config).await.unwrap();
    registration.add_capability("zone".to_owned(), json!("north"));
    let id = registration.register().await.unwrap();
    assert_eq!(registration.worker_id(), Some(id));

    let row =
        fixture.eventually("SELECT *, worker_role::text AS role, status::text AS state FROM worker").await;
    assert_eq!(
        (row.get::<String, _>("role"), row.get::<String, _>("state")),
        ("action".into(), "active".into())
    );
    let capabilities: Value = row.get("capabilities");
    let runtimes = capabilities["runtimes"].as_array().unwrap();
    assert!(runtimes.contains(&json!("shell")) && runtimes.contains(&json!("native")), "{capabilities}");
    assert!(capabilities["runtime_details"]["core.shell"].is_object(), "{capabilities}");
    assert_eq!(capabilities["max_concurrent_executions"], json!(10));
    assert_eq!(capabilities["worker_version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(capabilities["zone"], json!("north"));
}

#[tokio::test]
async fn a_heartbeat_renews_and_a_graceful_stop_sets_inactive() {
    let fixture = Fixture::new().await;
    let mut config = fixture.config("w");
    config.worker.as_mut().unwrap().heartbeat_interval = Duration::from_millis(50);
    let service = fixture.service(config);
    service.start().await.unwrap();
    let first: DateTime<Utc> = fixture.eventually("SELECT last_heartbeat FROM worker").await.get(0);
    fixture.eventually(&format!("SELECT FROM worker WHERE last_heartbeat > '{first}'")).await;
    service.stop().await;
    fixture.eventually("SELECT FROM worker WHERE status = 'inactive' AND lease_until IS NULL").await;
}

#[tokio::test]
async fn the_environment_variable_wins() {
    let fixture = Fixture::new().await;
    let mut worker = fixture.spawn(
        "by-hand",
        &[
            ("ATTUNE_WORKER_RUNTIMES", " Alpha,shell,, ALPHA"),
            ("ATTUNE__WORKER__CAPABILITIES__RUNTIMES", "[native]"),
        ],
    );
    let row = fixture.eventually("SELECT capabilities FROM worker WHERE name = 'by-hand'").await;
    assert_eq!(row.get::<Value, _>(0)["runtimes"], json!(["alpha", "shell"]));
    worker.kill().unwrap();
    worker.wait().unwrap();
}

#[tokio::test]
async fn a_runtime_given_by_hand_is_used_by_any_of_its_names() {
    let fixture = Fixture::with_action("core.shell", "#!/bin/sh\necho '\"done\"'\n").await;
    let mut config = fixture.config("w");
    let capabilities = [("runtimes".to_owned(), json!(["bash"]))].into();
    config.worker.as_mut().unwrap().capabilities = Some(capabilities);
    let service = fixture.service(config);
    service.start().await.unwrap();
    assert_eq!(crate::fixture::result(&fixture.run(json!({})).await), json!("done"));
    service.stop().await;
}

#[tokio::test]
async fn a_runtime_whose_binary_is_missing_appears_when_it_is_installed() {
    let fixture = Fixture::new().await;
    let place = tempfile::tempdir().unwrap();
    let binary = place.path().join("haskell");
    pack::add_runtime(fixture.pool(), "Haskell", binary.to_str().unwrap()).await;
    let mut config = fixture.config("w");
    config.runtime.verify_interval = Duration::from_millis(100);
    let service = fixture.service(config);
    service.start().await.unwrap();
    let row = fixture.eventually("SELECT capabilities->'runtimes' FROM worker").await;
    assert!(!row.get::<Value, _>(0).as_array().unwrap().contains(&json!("haskell")));

    install(&binary);
    fixture.eventually("SELECT FROM worker WHERE capabilities->'runtimes' ? 'haskell'").await;
    std::fs::remove_file(&binary).unwrap();
    fixture.eventually("SELECT FROM worker WHERE NOT capabilities->'runtimes' ? 'haskell'").await;
    service.stop().await;
}

#[tokio::test]
async fn a_runtime_that_turns_out_to_be_missing_is_no_longer_claimed_to_be_there() {
    let fixture = Fixture::new().await;
    let place = tempfile::tempdir().unwrap();
    let binary = place.path().join("haskell");
    install(&binary);
    pack::add_runtime(fixture.pool(), "Haskell", binary.to_str().unwrap()).await;
    fixture.add_action("core.haskell", "").await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM worker WHERE capabilities->'runtimes' ? 'haskell'").await;
    std::fs::remove_file(&binary).unwrap();
    let row = fixture.run(json!({})).await;
    assert!(error(&row).starts_with("runtime core.haskell is missing on this machine"), "{}", error(&row));
    fixture.eventually("SELECT FROM worker WHERE NOT capabilities->'runtimes' ? 'haskell'").await;
    service.stop().await;
}

fn install(binary: &Path) {
    std::fs::write(binary, "#!/bin/sh\necho 9.4.7\n").unwrap();
    std::fs::set_permissions(binary, std::fs::Permissions::from_mode(0o755)).unwrap();
}
