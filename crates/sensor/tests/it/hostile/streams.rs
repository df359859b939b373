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
    let fixture = &running.fixture;
    fixture
        .eventually(&format!(
            "SELECT FROM sensor JOIN sensor_state ON id = sensor
             WHERE mode = 'stream' AND substr(ref, 6) NOT IN ('{}') HAVING bool_and(errors > 0)",
            GO_ON.join("', '")
        ))
        .await;
    for name in GO_ON {
        fixture.status(name, "running").await;
    }
    let outcomes = outcomes(fixture).await;
    running.end().await;
    insta::assert_snapshot!(outcomes);
}
