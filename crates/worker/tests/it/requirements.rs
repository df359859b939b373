//! Actions whose packs require commands.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::fixture::{Fixture, error, result, state};

#[tokio::test]
async fn a_command_that_was_missing_is_found_once_it_is_installed() {
    let fixture = Fixture::with_action("core.shell", "attune-test-gauge").await;
    fixture.execute(r#"UPDATE pack SET requires = '["attune-test-gauge"]' WHERE ref = 'demo'"#).await;
    let bin = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let mut worker = fixture.spawn("w", &[("PATH", &path), ("ATTUNE__WORKER__HOST", "cellar")]);
    let row = fixture.run(json!({})).await;
    let expected =
        "pack demo requires the command `attune-test-gauge`, which is not on PATH of this machine (cellar)";
    assert_eq!((state(&row).as_str(), error(&row).as_str()), ("failed", expected));

    let command = bin.path().join("attune-test-gauge");
    std::fs::write(&command, "#!/bin/sh\necho 7\n").unwrap();
    std::fs::set_permissions(&command, PermissionsExt::from_mode(0o755)).unwrap();
    let row = fixture.run(json!({})).await;
    assert_eq!((state(&row).as_str(), result(&row)), ("succeeded", json!(7)), "{}", error(&row));
    worker.kill().unwrap();
    worker.wait().unwrap();
}
