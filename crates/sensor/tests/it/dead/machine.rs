//! Sensors whose machine lacks what they need.

use serde_json::json;

use super::Watched;
use crate::pack;

const SOUND: &str = "[ -e $DEAD ] || { echo '{\"events\": [{}]}'; exit; }\n";

#[tokio::test]
async fn a_disk_that_is_full() {
    // The kernel's own answer to a write for which there is no room.
    let code = format!("{SOUND}echo cursor >/dev/full || exit 1\n");
    let watched = Watched::with_sensor("core.shell", &code).await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched.alarm("full disk", died, "failing", "it exited with code 1: %No space left on device%").await;
    service.stop().await;
}

#[tokio::test]
async fn a_runtime_that_no_worker_has() {
    let watched = Watched::with_sensor("core.shell", SOUND).await;
    pack::add_runtime(watched.fixture.pool(), "Dash", "python3").await;
    let service = watched.start().await;
    let least = r#"UPDATE runtime SET distributions = distributions || '{"min_version": "99.0"}' WHERE ref = 'core.dash'"#;
    watched.execute(least).await;
    let died = watched.now().await;
    watched.execute("UPDATE sensor SET runtime_ref = 'core.dash'").await;
    let reason = "no live sensor worker has the runtime core.dash >= 99.0: s has 3.%";
    watched.alarm("no fitting worker", died, "unschedulable", reason).await;
    service.stop().await;
}

#[tokio::test]
async fn an_environment_that_can_not_be_built() {
    let watched = Watched::with_sensor("core.shell", "echo '{\"events\": [{}]}'\n").await;
    let execution = json!({"binary": "sh", "environment": {"manifest": "needs", "variables": {},
        "build": [{"commands": [["sh", "-c", "echo no such package as $(cat needs) >&2; exit 1"]]}]}});
    watched.execute(&format!("UPDATE runtime SET execution = '{execution}' WHERE ref = 'core.shell'")).await;
    let service = watched.start().await;
    // The next version of the pack needs what nobody has.
    let died = watched.now().await;
    let files = [("sensors/dies", "echo '{\"events\": [{}]}'\n"), ("needs", "unobtainium")];
    pack::store(watched.fixture.pool(), "demo", &files).await;
    watched.execute("UPDATE pack SET name = name").await;
    let reason = "can not build the environment of pack demo for core.shell from needs: %no such package%";
    watched.alarm("missing environment", died, "failing", reason).await;
    service.stop().await;
}
