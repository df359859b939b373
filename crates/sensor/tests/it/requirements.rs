//! Sensors whose packs require commands.

use std::os::unix::fs::PermissionsExt;

use crate::fixture::Fixture;

const GOOD: &str = "attune-test-gauge";

#[tokio::test]
async fn a_command_that_was_missing_is_found_once_it_is_installed() {
    let fixture = Fixture::with_sensors(&[("reads", "core.shell", GOOD)]).await;
    fixture
        .execute(r#"UPDATE pack SET requires = '["sh", {"command": "attune-test-gauge", "install": "get it"}]' WHERE ref = 'demo'"#)
        .await;
    let bin = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let mut worker = fixture.spawn("s", &[("PATH", &path), ("ATTUNE__SENSOR__HOST", "cellar")]);
    fixture
        .failing(
            "reads",
            "pack demo requires the command `attune-test-gauge`, which is not on PATH of this machine (cellar); install it: get it",
        )
        .await;
    let command = bin.path().join(GOOD);
    std::fs::write(&command, "#!/bin/sh\necho '{\"events\": [{}]}'\n").unwrap();
    std::fs::set_permissions(&command, PermissionsExt::from_mode(0o755)).unwrap();
    fixture.event_of("reads").await;
    worker.kill().unwrap();
    worker.wait().unwrap();
}

#[tokio::test]
async fn a_column_that_can_not_be_read_stops_its_own_pack_and_no_other() {
    let fixture = Fixture::with_sensors(&[("reads", "core.shell", "echo '{\"events\": [{}]}'")]).await;
    fixture.execute("INSERT INTO pack (ref, name, requires) VALUES ('other', 'Other', '\"jq\"')").await;
    let service = fixture.start().await;
    fixture.event_of("reads").await;
    fixture.execute(r#"UPDATE pack SET requires = '[{"comand": "sh"}]' WHERE ref = 'demo'"#).await;
    fixture
        .failing(
            "reads",
            "the row of pack demo is wrong: requires[0].comand: is no known key (did you mean command?)",
        )
        .await;
    fixture.execute("UPDATE pack SET requires = '[]' WHERE ref = 'demo'").await;
    fixture.eventually("SELECT FROM sensor_state WHERE status = 'running' AND failures = 0").await;
    service.stop().await;
}
