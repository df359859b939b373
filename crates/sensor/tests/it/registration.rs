//! A sensor worker's place in the table.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use attune_sensor::SensorWorkerRegistration;
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::types::chrono::{DateTime, Utc};

use crate::fixture::Fixture;
use crate::pack;

#[tokio::test]
async fn a_start_registers_with_role_and_capabilities() {
    let fixture = Fixture::new().await;
    let config = fixture.config("s");
    let mut registration = SensorWorkerRegistration::new(fixture.pool().clone(), &config);
    assert_eq!((registration.worker_id(), registration.worker_name()), (None, "s"));
    let id = registration.register(&config).await.unwrap();
    assert_eq!(registration.worker_id(), Some(id));
    registration.heartbeat().await.unwrap();
    registration.add_capability("zone".to_owned(), json!("north"));
    registration.update_capabilities().await.unwrap();

    let row =
        fixture.eventually("SELECT *, worker_role::text AS role, status::text AS state FROM worker").await;
    assert_eq!(
        (row.get::<String, _>("role"), row.get::<String, _>("state")),
        ("sensor".into(), "active".into())
    );
    let capabilities: Value = row.get("capabilities");
    assert!(capabilities["runtimes"].as_array().unwrap().contains(&json!("shell")), "{capabilities}");
    assert!(capabilities["runtime_details"]["core.shell"].is_object(), "{capabilities}");
    assert_eq!(capabilities["max_concurrent_sensors"], json!(10));
    assert_eq!(capabilities["sensor_version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(capabilities["zone"], json!("north"));
    assert!(["cgroup", "subreaper"].contains(&capabilities["kill"].as_str().unwrap()), "{capabilities}");
    assert_eq!(capabilities["sandbox"].as_array().unwrap()[..2], [json!("none"), json!("process")]);
    registration.deregister().await.unwrap();
    fixture.eventually("SELECT FROM worker WHERE status = 'inactive'").await;
}

#[tokio::test]
async fn a_heartbeat_renews_and_a_graceful_stop_sets_inactive() {
    let fixture = Fixture::new().await;
    let mut config = fixture.config("s");
    config.sensor.as_mut().unwrap().heartbeat_interval = Duration::from_millis(50);
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
    let mut worker = fixture.spawn("by-hand", &[("ATTUNE_SENSOR_RUNTIMES", " Alpha,shell,, ALPHA")]);
    let row = fixture.eventually("SELECT capabilities FROM worker WHERE name = 'by-hand'").await;
    assert_eq!(row.get::<Value, _>(0)["runtimes"], json!(["alpha", "shell"]));
    let pid = rustix::process::Pid::from_child(&worker);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || worker.wait().unwrap()).await.unwrap().code(), Some(0));
    fixture.eventually("SELECT FROM worker WHERE status = 'inactive'").await;
}

#[tokio::test]
async fn a_namesake_that_lives_is_refused_with_code_4() {
    let fixture = Fixture::new().await.with_short_lease();
    let service = fixture.start().await;
    let mut second = fixture.spawn("s", &[]);
    let code = tokio::task::spawn_blocking(move || second.wait().unwrap()).await.unwrap().code();
    assert_eq!(code, Some(4));
    service.stop().await;
}

#[tokio::test]
async fn a_runtime_that_was_added_or_installed_is_detected() {
    let fixture = Fixture::new().await;
    let place = tempfile::tempdir().unwrap();
    let binary = place.path().join("haskell");
    let mut config = fixture.config("s");
    config.runtime.verify_interval = Duration::from_millis(100);
    let service = fixture.service(config);
    service.start().await.unwrap();
    pack::add_runtime(fixture.pool(), "Haskell", binary.to_str().unwrap()).await;
    pack::add_runtime(fixture.pool(), "Ruby", "ruby").await;
    fixture.eventually("SELECT FROM worker WHERE capabilities->'runtimes' ? 'ruby'").await;
    fixture.eventually("SELECT FROM worker WHERE NOT capabilities->'runtimes' ? 'haskell'").await;

    std::fs::write(&binary, "#!/bin/sh\necho 9.4.7\n").unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    fixture.eventually("SELECT FROM worker WHERE capabilities->'runtimes' ? 'haskell'").await;
    service.stop().await;
}

/// The interval at which it looks again by itself is a minute here.
#[tokio::test]
async fn a_runtime_whose_command_was_killed_is_looked_for_again_soon() {
    let fixture = Fixture::new().await;
    let place = tempfile::tempdir().unwrap();
    let (binary, killed) = (place.path().join("haskell"), place.path().join("killed"));
    let script =
        format!("#!/bin/sh\necho 9.4.7\n[ -e {0} ] || {{ : > {0}; kill -9 $$; }}\n", killed.display());
    std::fs::write(&binary, script).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    pack::add_runtime(fixture.pool(), "Haskell", binary.to_str().unwrap()).await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM worker WHERE capabilities->'runtimes' ? 'haskell'").await;
    assert!(killed.exists());
    service.stop().await;
}
