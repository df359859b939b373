//! What becomes of what sensors print.

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::fixture::Fixture;
use crate::pack;

#[tokio::test]
async fn an_event_goes_all_the_way_into_an_execution() {
    let fixture = Fixture::with_sensors(&[(
        "disk",
        "core.shell",
        "echo '{\"events\": [{\"event_type\": \"seen\", \"free\": 7, \"event_key\": \"once\"}], \"count\": 1}'",
    )])
    .await;
    fixture.execute("INSERT INTO action (ref) VALUES ('demo.act')").await;
    fixture
        .execute(
            "INSERT INTO rule (ref, trigger, action, action_params)
             SELECT 'demo.rule', trigger.id, action.id, '{\"free\": \"{{ event.payload.free }}\"}' FROM trigger, action",
        )
        .await;
    let service = fixture.start().await;
    let execution = fixture.eventually("SELECT params, trigger_ref FROM execution").await;
    assert_eq!(execution.get::<Value, _>("params"), json!({"free": 7}));
    assert_eq!(execution.get::<String, _>("trigger_ref"), "demo.seen");
    let event = fixture.event_of("disk").await;
    assert_eq!(event.get::<String, _>("key"), "once");
    assert_eq!(
        event.get::<Value, _>("payload"),
        json!({"event_type": "seen", "free": 7, "event_key": "once"})
    );
    assert!(event.get::<Option<String>, _>("pack_digest").is_some());
    // The next polls bring the same key: dropped and counted.
    fixture
        .eventually("SELECT FROM sensor_state WHERE duplicates >= 2 AND status = 'running' AND events = 1 AND lateness_ms >= 0")
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_python_sensor_keeps_its_state_and_sets_aside_what_can_not_be_stored() {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    let code = r#"
def poll_sensor(config: Dict, state) -> Iterator[Dict]:
    print("a note")
    state["n"] = state.get("n", 0) + 1
    yield {"n": state["n"], "at": datetime.now().isoformat()}
    yield {"bad": float("nan")}
    yield {"bad": "\0"}
    yield {"bad": "\ud800"}
"#;
    fixture.add_sensors(&[("counter", "core.python", code)]).await;
    let service = fixture.start().await;
    fixture.eventually("SELECT FROM event WHERE (payload->>'n')::int = 3").await;
    service.stop().await;
    let twice = sqlx::query("SELECT payload->>'n' FROM event GROUP BY 1 HAVING count(*) > 1")
        .fetch_all(fixture.pool());
    assert!(twice.await.unwrap().is_empty());
    let row = fixture.eventually("SELECT * FROM sensor_state").await;
    assert!(row.get::<Value, _>("state")["n"].as_i64() >= Some(3));
    assert!(row.get::<i64, _>("rejected") >= 9);
    for reason in ["not JSON", "u0000", "surrogate"] {
        fixture
            .eventually(&format!(
                "SELECT FROM event_rejected WHERE reason LIKE '%{reason}%' AND length(raw) > 0"
            ))
            .await;
    }
}

#[tokio::test]
async fn a_python_exception_carries_its_traceback() {
    let fixture = Fixture::new().await;
    pack::store_core(fixture.pool()).await;
    let code = "def poll_sensor(config):\n    yield {'n': 1}\n    raise ValueError('no pump')\n";
    fixture.add_sensors(&[("pump", "core.python", code)]).await;
    let service = fixture.start().await;
    fixture.failing("pump", "%ValueError: no pump%Traceback%line 3, in poll_sensor%").await;
    assert!(sqlx::query("SELECT FROM event").fetch_all(fixture.pool()).await.unwrap().is_empty());
    service.stop().await;
}

#[tokio::test]
async fn any_runtime_that_one_insert_adds_runs_sensors() {
    let fixture = Fixture::new().await;
    for (name, binary) in [("Ruby", "ruby"), ("Perl", "perl")] {
        pack::add_runtime(fixture.pool(), name, binary).await;
    }
    let service = fixture.start().await;
    let ruby =
        "require 'json'\nconfig = JSON.parse(STDIN.read)\nputs JSON.generate({events: [{config: config}]})\n";
    let perl = "print qq({\"events\": [{\"config\": $ENV{SENSOR_CONFIG}}]});\n";
    let native = "#!/bin/sh\nprintf '{\"events\": [{\"config\": %s}]}' \"$(cat)\"\n";
    fixture
        .add_sensors(&[
            ("ruby", "core.ruby", ruby),
            ("perl", "core.perl", perl),
            ("native", "core.native", native),
        ])
        .await;
    for sensor in ["ruby", "perl", "native"] {
        assert_eq!(fixture.event_of(sensor).await.get::<Value, _>("payload"), json!({"config": {}}));
    }
    service.stop().await;
}

#[tokio::test]
async fn secrets_reach_the_sensor_and_nothing_else() {
    let fixture = Fixture::with_sensors(&[(
        "guard",
        "core.shell",
        r#"printf '{"events": [{"length": %s, "env": "%s"}]}' "$(wc -c)" "$SENSOR_CONFIG""#,
    )])
    .await;
    fixture
        .execute(
            r#"UPDATE sensor SET config = '{"token": "hush"}', param_schema = '{"properties": {"token": {"secret": true}}}'"#,
        )
        .await;
    let service = fixture.start().await;
    let event = fixture.event_of("guard").await;
    assert_eq!(event.get::<Value, _>("payload"), json!({"length": 16, "env": ""}));
    let snapshot = fixture
        .eventually("SELECT c.config FROM sensor_config c JOIN event e ON e.sensor_config = c.id")
        .await;
    assert_eq!(snapshot.get::<Value, _>(0), json!({"token": "***"}));
    service.stop().await;
}
