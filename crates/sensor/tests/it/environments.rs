//! Sensors whose pack has dependencies.

use std::fs;

use attune_common::config::SensorConfig;
use serde_json::json;

use crate::fixture::Fixture;
use crate::pack;

const WAITS: &str = "echo '{\"events\": [{\"here\": \"'$HERE'\"}]}'";
const GOES_ON: &str = "#!/bin/sh\necho '{\"events\": [{}]}'\n";

/// One sensor whose shell has an environment that `script` builds, and one that needs none.
async fn fixture(script: &str) -> Fixture {
    fixture_of(WAITS, script).await
}

async fn fixture_of(waits: &str, script: &str) -> Fixture {
    let fixture = Fixture::new().await;
    fixture.add_sensors(&[("waits", "core.shell", waits), ("other", "core.native", GOES_ON)]).await;
    let files = [("sensors/waits", waits), ("sensors/other", GOES_ON), ("needs", "one")];
    pack::store(fixture.pool(), "demo", &files).await;
    let execution = json!({"binary": "sh", "environment": {"manifest": "needs", "variables": {"HERE": "{environment}"},
        "build": [{"commands": [["sh", "-c", script]]}]}});
    fixture
        .execute(&format!(
            "UPDATE runtime SET execution = '{}' WHERE ref = 'core.shell'",
            execution.to_string().replace('\'', "''")
        ))
        .await;
    fixture
}

#[tokio::test]
async fn a_build_holds_up_only_who_needs_it() {
    let hang = tempfile::NamedTempFile::new().unwrap();
    let fixture = fixture(&format!("while [ -e {} ]; do sleep 0.05; done", hang.path().display())).await;
    let mut config = fixture.config("s");
    config.sensor = config.sensor.map(|sensor| SensorConfig { max_concurrent_sensors: 1, ..sensor });
    let service = fixture.service(config);
    service.start().await.unwrap();
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'demo.waits' AND status = 'starting'
             AND reason = 'its environment from needs is not ready yet: building with sh'",
        )
        .await;
    // Its time limit and both lanes are as free as before.
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'demo.other' AND events > 5",
        )
        .await;
    fs::remove_file(hang.path()).unwrap();
    fixture.event_of("waits").await;
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor
             WHERE ref = 'demo.waits' AND status = 'running' AND reason IS NULL AND failures = 0",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_stream_starts_when_its_environment_is_there() {
    let hang = tempfile::NamedTempFile::new().unwrap();
    let script = format!("while [ -e {} ]; do sleep 0.05; done", hang.path().display());
    let stream = r#"echo '{"type":"event","payload":{"here":"'$HERE'"}}'; exec sleep 300"#;
    let fixture = fixture_of(stream, &script).await;
    fixture.execute("UPDATE sensor SET mode = 'stream' WHERE ref = 'demo.waits'").await;
    let service = fixture.start().await;
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'demo.waits' AND status = 'starting'
             AND reason = 'its environment from needs is not ready yet: building with sh'",
        )
        .await;
    fs::remove_file(hang.path()).unwrap();
    fixture.event_of("waits").await;
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor
             WHERE ref = 'demo.waits' AND status = 'running' AND reason IS NULL AND errors = 0",
        )
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_failed_build_is_the_sensors_error_until_a_later_one_succeeds() {
    let away = tempfile::NamedTempFile::new().unwrap();
    let script = format!("echo no such package; [ ! -e {} ]", away.path().display());
    let fixture = fixture(&script).await;
    let service = fixture.start().await;
    fixture.failing("waits", "can not build the environment of pack demo for core.shell from needs: `sh -c %` exited with code 1:%no such package%").await;
    // The build decides when it makes sense to try again, not the sensor's interval of 0.2 s.
    fixture
        .eventually(
            "SELECT FROM sensor_state JOIN sensor ON id = sensor
             WHERE ref = 'demo.waits' AND failures = 1 AND next_try - sensor_state.updated BETWEEN '4 s' AND '5 s'",
        )
        .await;
    fs::remove_file(away.path()).unwrap();
    fixture.event_of("waits").await;
    service.stop().await;
}
