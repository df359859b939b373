//! Sensors whose own code, or what it reads, is dead.

use super::Watched;

/// It has an event at each poll, until it is dead and does this.
fn shell(dies: &str) -> String {
    format!("[ -e $DEAD ] || {{ echo '{{\"events\": [{{}}]}}'; exit; }}\n{dies}\n")
}

#[tokio::test]
async fn a_read_that_hangs() {
    let watched = Watched::with_sensor("core.shell", &shell("mkfifo fifo; cat fifo")).await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched.alarm("hung read", died, "failing", "it ran longer than its time limit of 1 s%").await;
    service.stop().await;
}

#[tokio::test]
async fn answers_that_are_empty_where_events_are_expected() {
    let watched = Watched::with_sensor("core.shell", &shell("echo '{\"events\": []}'")).await;
    watched.execute(r#"UPDATE sensor SET expect = '{"event": "2s"}'"#).await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched.alarm("endless empty answer", died, "silent", "no event for %, expected one each 2s").await;
    // It goes on ticking, and stays what it is.
    let polls = "SELECT FROM sensor_state WHERE status = 'silent' AND failures = 0 AND last_tick > since + INTERVAL '1 s'";
    watched.fixture.eventually(polls).await;
    std::fs::remove_file(watched.dead()).unwrap();
    watched.fixture.status("dies", "running").await;
    service.stop().await;
}

#[tokio::test]
async fn a_credential_that_expired_in_a_sensor_that_swallows_errors() {
    let code = "
import os
def fetch():
    if os.path.exists('$DEAD'):
        raise PermissionError('401 Unauthorized')
def poll_sensor(config, state, contact):
    try:
        fetch()
        contact()
    except Exception as error:
        print('will try again:', error)
    if not state.get('n'):
        state['n'] = 1
        yield {}
";
    let watched = Watched::with_sensor("core.python", code).await;
    watched.execute(r#"UPDATE sensor SET expect = '{"contact": "2s"}', timeout = 20"#).await;
    let service = watched.start().await;
    watched.fixture.eventually("SELECT FROM sensor_state WHERE says_contact AND polls > 3").await;
    let died = watched.die().await;
    let reason = "no contact with its source for %, expected one each 2s";
    watched.alarm("expired credential, error swallowed", died, "silent", reason).await;
    std::fs::remove_file(watched.dead()).unwrap();
    watched.fixture.status("dies", "running").await;
    service.stop().await;
}

#[tokio::test]
async fn a_credential_that_expired_in_a_sensor_that_says_so() {
    let watched = Watched::with_sensor("core.shell", &shell("echo '401 Unauthorized' >&2; exit 1")).await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched
        .alarm("expired credential, error told", died, "failing", "it exited with code 1: 401 Unauthorized")
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_host_that_is_blocked() {
    let code = "
import os, threading
def poll_sensor(config):
    if os.path.exists('$DEAD'):
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    yield {}
";
    let watched = Watched::with_sensor("core.python", code).await;
    watched.execute("UPDATE sensor SET timeout = 5").await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched.alarm("blocked host", died, "failing", "it ran longer than its time limit of 5 s%").await;
    service.stop().await;
}

#[tokio::test]
async fn failures_after_which_it_is_paused() {
    let watched = Watched::with_sensor("core.shell", &shell("echo broken >&2; exit 3")).await;
    watched.execute("UPDATE sensor SET pause_after = 3").await;
    let service = watched.start().await;
    let died = watched.die().await;
    let reason = "it was paused after 3 failures in a row; the last one: it exited with code 3: broken";
    watched.alarm("paused by errors", died, "paused", reason).await;
    // It is not polled any more, by nobody.
    watched.fixture.eventually("SELECT FROM sensor_state WHERE status = 'paused' AND worker IS NULL").await;
    std::fs::remove_file(watched.dead()).unwrap();
    watched.execute("UPDATE sensor_state SET paused = FALSE").await;
    watched.fixture.eventually("SELECT FROM sensor_state WHERE status = 'running' AND failures = 0").await;
    service.stop().await;
}
