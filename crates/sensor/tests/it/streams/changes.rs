//! Changes to sensors and rules reach a running stream, and only the one that they are about.

use serde_json::{Value, json};

use super::{lines, stream};
use crate::fixture::Fixture;
use crate::ownership::until;

const ECHO: &str = r#"
    echo $$ >> PIDS
    printf '{"type":"event","payload":{"heard":%s}}\n' "$start"
    while read -r line; do printf '{"type":"event","payload":{"heard":%s}}\n' "$line"; done"#;

#[tokio::test]
async fn changed_rules_tell_their_parameters_to_the_running_program() {
    let place = tempfile::tempdir().unwrap();
    let pids = place.path().join("pids");
    let code = stream(&ECHO.replace("PIDS", &pids.display().to_string()));
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    fixture.execute("INSERT INTO action (ref) VALUES ('demo.act')").await;
    let service = fixture.start().await;
    fixture.event_of("s").await;
    // Two rules that ask for the same, in other words, and one that asks for nothing.
    for (name, params) in
        [("a", r#"{"path": "/x", "n": 1}"#), ("b", r#"{"n": 1, "path": "/x"}"#), ("c", "{}")]
    {
        fixture
            .execute(&format!(
                "INSERT INTO rule (ref, trigger, action, trigger_params)
                 SELECT 'demo.{name}', trigger.id, action.id, '{params}' FROM trigger, action"
            ))
            .await;
    }
    heard(&fixture, &json!([{"trigger": "demo.seen", "params": {"path": "/x", "n": 1}}])).await;
    fixture.execute("UPDATE rule SET enabled = FALSE WHERE ref = 'demo.a'").await;
    fixture.execute(r#"UPDATE rule SET trigger_params = '{"path": "/y"}' WHERE ref = 'demo.b'"#).await;
    heard(&fixture, &json!([{"trigger": "demo.seen", "params": {"path": "/y"}}])).await;
    fixture.execute("DELETE FROM rule WHERE ref = 'demo.b'").await;
    heard(&fixture, &json!([])).await;
    service.stop().await;
    assert_eq!(lines(&pids).len(), 1);
}

async fn heard(fixture: &Fixture, params: &Value) {
    let message = json!({"heard": {"type": "params", "trigger_params": params}});
    fixture.eventually(&format!("SELECT FROM event WHERE payload = '{message}'")).await;
}

#[tokio::test]
async fn a_changed_sensor_restarts_and_its_neighbour_does_not() {
    let place = tempfile::tempdir().unwrap();
    let (changed, other) = (place.path().join("changed"), place.path().join("other"));
    let codes = [&changed, &other].map(|file| stream(&ECHO.replace("PIDS", &file.display().to_string())));
    let fixture = Fixture::with_streams(&[("changed", &codes[0]), ("other", &codes[1])]).await;
    let service = fixture.start().await;
    fixture.event_of("changed").await;
    fixture.event_of("other").await;
    fixture.execute(r#"UPDATE sensor SET config = '{"n": 2}' WHERE ref = 'demo.changed'"#).await;
    fixture.eventually(r#"SELECT FROM event WHERE payload->'heard'->'config' = '{"n": 2}'"#).await;
    fixture.eventually("SELECT FROM sensor_state HAVING max(errors) = 0").await;
    service.stop().await;
    assert_eq!((lines(&changed).len(), lines(&other).len()), (2, 1));
}

#[tokio::test]
async fn a_sensor_may_change_its_mode() {
    let place = tempfile::tempdir().unwrap();
    let pids = place.path().join("pids");
    let code = format!(
        r#"case $(cat "$SENSOR_CONTEXT") in
           *'"mode":"stream"'*) echo $$ >> {}; echo '{{"type":"event","payload":{{"streams":true}}}}'; exec sleep 300;;
           *) echo '{{"events":[{{"polled":true}}]}}';; esac"#,
        pids.display()
    );
    let fixture = Fixture::with_streams(&[("s", &code)]).await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM event WHERE payload = '{\"streams\": true}'").await;
    fixture.execute("UPDATE sensor SET mode = 'poll'").await;
    fixture.eventually("SELECT FROM event WHERE payload = '{\"polled\": true}'").await;
    let pid = lines(&pids).remove(0);
    until(|| (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())).await;
    fixture.execute("UPDATE sensor SET mode = 'stream'").await;
    fixture.eventually("SELECT FROM event WHERE payload = '{\"streams\": true}' HAVING count(*) = 2").await;
    service.stop().await;
}
