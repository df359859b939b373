//! Sensors whose events come in, but go nowhere: by their canaries it is seen. There is no worker for actions here.

use super::Watched;

const SOUND: &str = "echo '{\"events\": [{}]}'\n";

async fn with_canary() -> Watched {
    let watched = Watched::with_sensor("core.shell", SOUND).await;
    watched.execute("UPDATE sensor SET canary = 0.3").await;
    watched
}

#[tokio::test]
async fn no_worker_for_its_action() {
    let watched = with_canary().await;
    let died = watched.now().await;
    let service = watched.start().await;
    let reason =
        "no canary arrived for %: execution % of core.noop waits: no worker that is alive has core.shell";
    watched.alarm("no worker for actions", died, "silent", reason).await;
    // Its own events do not make it sound, and what arrives does.
    watched
        .fixture
        .eventually("SELECT FROM sensor_state WHERE status = 'silent' AND last_event > since")
        .await;
    watched
        .execute("UPDATE execution SET status = 'succeeded', finished = clock_timestamp() WHERE action_ref = 'core.noop'")
        .await;
    watched.fixture.eventually("SELECT FROM event WHERE trigger_ref = 'core.sensor_state' AND payload->>'from' = 'silent' AND payload->>'to' = 'running'").await;
    service.stop().await;
}

#[tokio::test]
async fn its_rule_is_disabled() {
    let watched = with_canary().await;
    watched.execute("UPDATE rule SET enabled = FALSE WHERE ref = 'core.canary'").await;
    let died = watched.now().await;
    let service = watched.start().await;
    let reason = "no canary arrived for %: its canary of % was seen, but no rule took it: rule core.canary is disabled or missing";
    watched.alarm("rule of canaries disabled", died, "silent", reason).await;
    service.stop().await;
}

#[tokio::test]
async fn its_trigger_is_disabled() {
    let watched = with_canary().await;
    watched.execute("UPDATE trigger SET enabled = FALSE WHERE ref = 'core.canary'").await;
    let died = watched.now().await;
    let service = watched.start().await;
    let reason = "no canary arrived for %: trigger core.canary is disabled or missing, so none is taken in";
    watched.alarm("trigger of canaries disabled", died, "silent", reason).await;
    service.stop().await;
}
