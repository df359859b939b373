//! Executions that are cancelled while they run.

use attune_executor::cancel::{Cancelled, cancel_execution};
use attune_hints::Hints;
use serde_json::json;
use sqlx::Row as _;

use crate::fixture::{Fixture, error, state};

/// Starts a child that escapes its session, says so, and waits.
const STUBBORN: &str = "#!/bin/sh\ntrap '' TERM\nsetsid sleep 300 &\necho $! >&2\nsleep 300\n";

/// The process id that a running execution wrote into its log.
async fn child_of(fixture: &Fixture, id: i64) -> rustix::process::Pid {
    let row = fixture.eventually(&format!("SELECT data FROM log WHERE execution = {id}")).await;
    let text = String::from_utf8(row.get("data")).unwrap();
    rustix::process::Pid::from_raw(text.trim().parse().unwrap()).unwrap()
}

async fn cancelled(fixture: &Fixture, id: i64) {
    let row = fixture.ended(id).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("cancelled", 1));
    assert_eq!(error(&row), "it was cancelled while it ran");
}

#[tokio::test]
async fn a_wish_ends_the_whole_tree() {
    let fixture = Fixture::with_action("core.shell", STUBBORN).await;
    fixture.execute(r#"UPDATE action SET retry = '{"max_attempts": 9}'"#).await;
    let service = fixture.start().await;
    let id = fixture.request(json!({})).await;
    let child = child_of(&fixture, id).await;
    assert_eq!(cancel_execution(fixture.pool(), &fixture.hints, id).await.unwrap(), Cancelled::Asked);
    cancelled(&fixture, id).await;
    assert!(rustix::process::test_kill_process(child).is_err(), "its child is gone");
    service.stop().await;
}

#[tokio::test]
async fn the_column_alone_does_it_and_others_run_on() {
    let fixture = Fixture::with_action("core.shell", "#!/bin/sh\necho $$ >&2\nexec sleep 300\n").await;
    let service = fixture.start().await;
    let (one, other) = (fixture.request(json!({})).await, fixture.request(json!({})).await);
    child_of(&fixture, one).await;
    let others = child_of(&fixture, other).await;
    fixture.execute(&format!("UPDATE execution SET cancel_requested = NOW() WHERE id = {one}")).await;
    cancelled(&fixture, one).await;
    assert!(rustix::process::test_kill_process(others).is_ok(), "its neighbour runs on");
    cancel_execution(fixture.pool(), &Hints::default(), other).await.unwrap();
    cancelled(&fixture, other).await;
    service.stop().await;
}

#[tokio::test]
async fn a_killed_workers_is_cancelled_by_whoever_takes_over() {
    let fixture = Fixture::with_action("core.shell", "#!/bin/sh\necho $$ >&2\nexec sleep 300\n").await;
    let mut victim = fixture.spawn("w", &[]);
    let id = fixture.request(json!({})).await;
    child_of(&fixture, id).await;
    let pid = rustix::process::Pid::from_child(&victim);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    cancel_execution(fixture.pool(), &Hints::default(), id).await.unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    let service = fixture.start().await;
    let row = fixture.ended(id).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("cancelled", 1));
    assert_eq!(error(&row), "it was cancelled, and its worker was lost");
    service.stop().await;
}
