//! Attempts: which follow, and which count.

use serde_json::json;
use sqlx::Row as _;

use crate::fixture::{Fixture, error, result, state};

/// Fails until its third attempt.
const THIRD: &str = "#!/bin/sh\n[ \"$ATTUNE_ATTEMPT\" -ge 3 ] || { echo \"not yet\" >&2; exit 1; }\necho \"$ATTUNE_ATTEMPT\"\n";

#[tokio::test]
async fn a_failure_is_tried_again_as_often_as_the_policy_says() {
    let fixture = Fixture::with_action("core.shell", THIRD).await;
    let service = fixture.start().await;
    fixture.execute(r#"UPDATE action SET retry = '{"max_attempts": 3, "delay": 0.05}'"#).await;
    let row = fixture.run(json!({})).await;
    assert_eq!((state(&row).as_str(), result(&row)), ("succeeded", json!(3)));

    fixture.execute(r#"UPDATE action SET retry = '{"max_attempts": 2}'"#).await;
    let row = fixture.run(json!({})).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("failed", 2));
    assert_eq!(error(&row), "it exited with code 1: not yet");
    let id: i64 = row.get("id");
    let earlier = fixture.eventually(&format!("SELECT * FROM attempt WHERE execution = {id}")).await;
    assert_eq!(
        (earlier.get::<i32, _>("attempt"), earlier.get::<String, _>("status")),
        (1, "failed".to_owned())
    );
    service.stop().await;
}

#[tokio::test]
async fn a_time_out_counts_and_a_loss_does_not() {
    let script = "#!/bin/sh\n[ \"$ATTUNE_ATTEMPT\" -ge 3 ] || sleep 60\n";
    let fixture = Fixture::with_action("core.shell", script).await;
    fixture.execute(r#"UPDATE action SET timeout = 0.3, retry = '{"max_attempts": 2}'"#).await;
    // As after one lost worker: its second attempt is the first that counts.
    let lost = fixture.request(json!({})).await;
    fixture.execute(&format!("UPDATE execution SET attempt = 2, lost = 1 WHERE id = {lost}")).await;
    let fresh = fixture.request(json!({})).await;
    let service = fixture.start().await;
    let row = fixture.ended(lost).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("succeeded", 3));
    let row = fixture.ended(fresh).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("timed_out", 2));
    service.stop().await;
}
