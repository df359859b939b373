//! What is claimed, and what of that is given back.

use std::path::Path;

use serde_json::json;

use crate::fixture::Fixture;

/// More are claimed than there are slots while programs end quickly; then some come that do not end.
#[tokio::test]
async fn what_was_claimed_ahead_and_finds_no_slot_is_given_back_as_if_it_had_not_been() {
    let place = tempfile::tempdir().unwrap();
    let go = place.path().join("go");
    let fixture = waiting_for(&go).await;
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

/// Sixty jobs that take long, of which two run, and one of another action behind them.
#[tokio::test]
async fn long_runs_of_one_action_do_not_keep_others_waiting() {
    let place = tempfile::tempdir().unwrap();
    let go = place.path().join("go");
    let fixture = waiting_for(&go).await;
    for _ in 0..60 {
        fixture.request(json!(1)).await;
    }
    fixture
        .execute(
            "INSERT INTO action (ref, pack, pack_ref, runtime, runtime_ref, entrypoint)
             SELECT 'demo.other', pack, pack_ref, runtime, runtime_ref, entrypoint FROM action WHERE ref = 'demo.act'",
        )
        .await;
    fixture
        .execute(
            "INSERT INTO execution (action, action_ref, runtime, params, pack_digest)
             SELECT a.id, 'demo.other', e.runtime, '0', e.pack_digest FROM action a, (SELECT * FROM execution LIMIT 2) e
             WHERE a.ref = 'demo.other'",
        )
        .await;
    let mut config = fixture.config("w");
    config.worker = config
        .worker
        .map(|worker| attune_common::config::WorkerConfig { max_concurrent_executions: 2, ..worker });
    let service = fixture.service(config).counting_as_long(std::time::Duration::ZERO);
    service.start().await.unwrap();
    fixture
        .eventually(
            "SELECT FROM execution HAVING count(*) FILTER (WHERE action_ref = 'demo.other' AND status = 'succeeded') = 2
             AND count(*) FILTER (WHERE action_ref = 'demo.act' AND status = 'running') = 2
             AND count(*) FILTER (WHERE action_ref = 'demo.act' AND status = 'requested') = 58",
        )
        .await;
    std::fs::write(go, "").unwrap();
    fixture
        .eventually("SELECT FROM execution HAVING count(*) FILTER (WHERE status = 'succeeded') = 62")
        .await;
    service.stop().await;
}

/// An action that ends at once for 0, and otherwise when there is such a file.
async fn waiting_for(go: &Path) -> Fixture {
    let script = format!(
        "#!/bin/sh\nread -r n\n[ \"$n\" = 0 ] || while [ ! -e {} ]; do sleep 0.02; done\n",
        go.display()
    );
    Fixture::with_action("core.shell", &script).await
}
