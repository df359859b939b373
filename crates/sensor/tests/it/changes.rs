//! Changes by plain SQL are in force at once, and disturb nobody else.

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::fixture::Fixture;

const CONFIG: &str = "printf '{\"events\": [{\"config\": %s}]}' \"$(cat)\"";

#[tokio::test]
async fn an_edited_sensor_runs_with_what_was_written() {
    let slow = "echo $$ >> \"$0.started\" 2>/dev/null; sleep 3; echo '{\"events\": [{\"slow\": true}]}'";
    let fixture =
        Fixture::with_sensors(&[("edited", "core.shell", CONFIG), ("slow", "core.shell", slow)]).await;
    fixture.execute("UPDATE sensor SET poll_interval = 3600 WHERE ref = 'demo.edited'").await;
    let service = fixture.start().await;
    fixture.event_of("edited").await;
    fixture.execute(r#"UPDATE sensor SET config = '{"n": 2}' WHERE ref = 'demo.edited'"#).await;
    fixture.eventually(r#"SELECT FROM event WHERE payload = '{"config": {"n": 2}}'"#).await;
    // Its neighbour's poll was under way all the time, and ends well.
    fixture.event_of("slow").await;
    fixture
        .eventually("SELECT FROM sensor_state HAVING count(*) FILTER (WHERE status = 'running') = 2")
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_disabled_sensor_stops_and_an_enabled_one_runs_again() {
    let fixture = Fixture::with_sensors(&[("s", "core.shell", CONFIG)]).await;
    let service = fixture.start().await;
    fixture.event_of("s").await;
    fixture.execute("UPDATE sensor SET enabled = FALSE").await;
    let row = fixture
        .eventually("SELECT polls FROM sensor_state WHERE status = 'stopped' AND worker IS NULL")
        .await;
    let polls: i64 = row.get(0);
    fixture.execute("UPDATE sensor SET enabled = TRUE").await;
    fixture
        .eventually(&format!("SELECT FROM sensor_state WHERE status = 'running' AND polls > {polls}"))
        .await;
    service.stop().await;
}

#[tokio::test]
async fn what_nobody_can_run_says_why() {
    let fixture = Fixture::with_sensors(&[
        ("builtin", "core.shell", ""),
        ("lost", "core.shell", ""),
        ("odd", "core.shell", ""),
    ])
    .await;
    fixture
        .execute(
            "INSERT INTO runtime (ref, name, distributions) VALUES ('demo.cobol', 'Cobol',
               '{\"verification\": {\"commands\": [{\"binary\": \"no-such-cobol\"}]}}')",
        )
        .await;
    fixture.execute("UPDATE sensor SET mode = 'builtin' WHERE ref = 'demo.builtin'").await;
    fixture.execute("UPDATE sensor SET runtime = NULL WHERE ref = 'demo.lost'").await;
    fixture.execute("UPDATE sensor SET runtime = (SELECT id FROM runtime WHERE name = 'Cobol') WHERE ref = 'demo.odd'").await;
    let service = fixture.start().await;
    for (name, reason) in [
        ("builtin", "sensors of the mode builtin are not supported by this version"),
        ("lost", "it names no runtime"),
        ("odd", "no live sensor worker has the runtime demo.cobol"),
    ] {
        fixture
            .eventually(&format!(
                "SELECT FROM sensor_state JOIN sensor ON id = sensor
                 WHERE ref = 'demo.{name}' AND status = 'unschedulable' AND reason = '{reason}'"
            ))
            .await;
    }
    service.validate().await.unwrap();
    service.stop().await;
}

#[tokio::test]
async fn a_sensor_sees_the_parameters_that_live_rules_ask_for() {
    let fixture = Fixture::with_sensors(&[(
        "timer",
        "core.shell",
        "printf '{\"events\": [{\"context\": %s}]}' \"$(cat \"$SENSOR_CONTEXT\")\"",
    )])
    .await;
    fixture.execute("INSERT INTO action (ref) VALUES ('demo.act')").await;
    fixture
        .execute(
            r#"INSERT INTO rule (ref, trigger, action, trigger_params)
               SELECT 'demo.' || n, trigger.id, action.id, '{"every": 5}' FROM trigger, action, generate_series(1, 2) n"#,
        )
        .await;
    let service = fixture.start().await;
    let asked = json!([{"trigger": "demo.seen", "params": {"every": 5}}]);
    fixture
        .eventually(&format!("SELECT FROM event WHERE payload->'context'->'trigger_params' = '{asked}'"))
        .await;
    let context: Value = fixture.event_of("timer").await.get::<Value, _>("payload")["context"].clone();
    assert_eq!(context["sensor"], json!("demo.timer"));
    service.stop().await;
}
