//! The end of workers, wanted and unwanted.

use attune_boot::exit_code;
use serde_json::json;
use sqlx::Row as _;

use crate::fixture::{Fixture, error, state};

/// Its first attempt hangs, and says so.
const HANGS_ONCE: &str = "#!/bin/sh\n[ \"$ATTUNE_ATTEMPT\" -ge 2 ] || { echo hangs >&2; exec sleep 300; }\n";

async fn running(fixture: &Fixture, id: i64) {
    fixture.eventually(&format!("SELECT FROM log WHERE execution = {id}")).await;
}

#[tokio::test]
async fn after_kill_9_the_next_start_takes_over_at_once() {
    let fixture = Fixture::with_action("core.shell", HANGS_ONCE).await;
    let mut victim = fixture.spawn("w", &[]);
    let id = fixture.request(json!({})).await;
    running(&fixture, id).await;
    victim.kill().unwrap();
    victim.wait().unwrap();

    let service = fixture.start().await;
    let row = fixture.ended(id).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("succeeded", 2), "{}", error(&row));
    assert_eq!(row.get::<i16, _>("lost"), 1);
    service.stop().await;
}

#[tokio::test]
async fn a_graceful_stop_waits_for_what_ends_soon() {
    let fixture = Fixture::with_action("core.shell", "#!/bin/sh\nsleep 0.5\necho '\"done\"'\n").await;
    let service = fixture.start().await;
    let id = fixture.request(json!({})).await;
    fixture.eventually(&format!("SELECT FROM execution WHERE id = {id} AND status = 'running'")).await;
    service.stop().await;
    let row = fixture.ended(id).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("succeeded", 1));
}

#[tokio::test]
async fn a_graceful_stop_gives_back_what_does_not_end() {
    let fixture = Fixture::with_action("core.shell", HANGS_ONCE).await;
    let mut worker = fixture.spawn("w", &[]);
    let id = fixture.request(json!({})).await;
    running(&fixture, id).await;
    let pid = rustix::process::Pid::from_child(&worker);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || worker.wait().unwrap()).await.unwrap().code(), Some(0));
    let row = fixture
        .eventually(&format!(
            "SELECT *, status::text AS state FROM execution WHERE id = {id} AND worker IS NULL"
        ))
        .await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("requested", 2));
    fixture.eventually("SELECT FROM worker WHERE status = 'inactive'").await;
}

#[tokio::test]
async fn who_is_replaced_ends_with_code_4_and_leaves_nothing_running() {
    let fixture = Fixture::with_action("core.shell", HANGS_ONCE).await.with_short_lease();
    let old = fixture.start().await;
    let id = fixture.request(json!({})).await;
    running(&fixture, id).await;

    let new = fixture.service(fixture.config("w")).replacing(true);
    new.start().await.unwrap();
    let row = fixture.ended(id).await;
    assert_eq!((state(&row).as_str(), row.get::<i32, _>("attempt")), ("succeeded", 2));
    let failure = old.supervisor().run(attune_worker::DRAIN).await.unwrap_err();
    assert_eq!(exit_code(&failure), 4, "{failure:#}");
    fixture.eventually("SELECT FROM worker WHERE status = 'active'").await;
    new.stop().await;
}

#[tokio::test]
async fn an_action_that_may_run_once_only_is_abandoned() {
    let fixture = Fixture::with_action("core.shell", HANGS_ONCE).await;
    fixture.execute("UPDATE action SET at_most_once = TRUE").await;
    let mut victim = fixture.spawn("w", &[]);
    let id = fixture.request(json!({})).await;
    running(&fixture, id).await;
    victim.kill().unwrap();
    victim.wait().unwrap();
    let service = fixture.start().await;
    assert_eq!(state(&fixture.ended(id).await), "abandoned");
    service.stop().await;
}
