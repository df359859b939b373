//! As streams, which are started again and again.

use super::outcome::outcomes;
use super::running::{Running, Way};

/// Those that do nothing wrong and go on: one has much to report, the other much to complain of.
const GO_ON: [&str; 2] = ["million-events.events", "stderr-flood.for-ever"];

#[tokio::test(flavor = "multi_thread")]
async fn as_streams() {
    let running = Running::start(&Way {
        runtime: "core.shell",
        code: |case| case.code.clone(),
        settings: "UPDATE sensor SET mode = 'stream'",
    })
    .await;
    running.admit(&format!("substr(ref, 6) NOT IN ('{}')", GO_ON.join("', '"))).await;
    let fixture = &running.fixture;
    fixture.execute("UPDATE sensor SET enabled = TRUE").await;
    for name in GO_ON {
        fixture.status(name, "running").await;
    }
    fixture
        .eventually(
            "SELECT FROM event WHERE sensor_ref = 'demo.million-events.events' HAVING count(*) > 10000",
        )
        .await;
    let outcomes = outcomes(fixture).await;
    running.end().await;
    insta::assert_snapshot!(outcomes);
}
