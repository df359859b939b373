//! What is claimed, and what of that is given back.

use serde_json::json;

use crate::fixture::Fixture;

/// More are claimed than there are slots while programs end quickly; then some come that do not end.
#[tokio::test]
async fn what_was_claimed_ahead_and_finds_no_slot_is_given_back_as_if_it_had_not_been() {
    let place = tempfile::tempdir().unwrap();
    let go = place.path().join("go");
    let script = format!(
        "#!/bin/sh\nread -r n\n[ \"$n\" = 0 ] || while [ ! -e {} ]; do sleep 0.02; done\n",
        go.display()
    );
    let fixture = Fixture::with_action("core.shell", &script).await;
    for waits in [vec![0; 100], vec![1; 10]].concat() {
        fixture.request(json!(waits)).await;
    }
    let mut config = fixture.config("w");
    config.worker = config
        .worker
        .map(|worker| attune_common::config::WorkerConfig { max_concurrent_executions: 2, ..worker });
    let service = fixture.service(config);
    service.start().await.unwrap();
    fixture
        .eventually(
            "SELECT FROM execution HAVING count(*) FILTER (WHERE status = 'running') = 2
             AND count(*) FILTER (WHERE status = 'requested' AND worker IS NULL AND started IS NULL) = 8",
        )
        .await;
    std::fs::write(go, "").unwrap();
    fixture
        .eventually("SELECT FROM execution HAVING count(*) FILTER (WHERE status = 'succeeded' AND attempt = 1 AND lost = 0) = 110")
        .await;
    service.stop().await;
}
