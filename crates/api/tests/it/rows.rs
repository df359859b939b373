//! Reading: fields are the columns, filters narrow, secrets stay hidden.

use serde_json::{Value, json};

use crate::client::Request;
use crate::server::Server;

const NOUNS: [&str; 10] =
    ["pack", "runtime", "worker", "trigger", "sensor", "action", "rule", "event", "enforcement", "execution"];

const ROWS: &str = "
    INSERT INTO worker (name, worker_type, worker_role, status, capabilities) VALUES ('w', 'local', 'sensor', 'active', '{\"runtimes\": [\"shell\"]}');
    INSERT INTO sensor (ref, runtime_ref, config, param_schema) VALUES ('demo.cpu', 'core.shell', '{\"key\": \"hidden\", \"url\": \"u\"}',
        '{\"properties\": {\"key\": {\"secret\": true}}}')";

#[tokio::test]
async fn every_column_is_a_field() {
    let server = Server::start().await;
    server.run(ROWS).await;
    server
        .write(&Request::json("/api/events", &json!({"trigger": "demo.high", "payload": {"value": 1}})))
        .await
        .ok(201);
    for noun in NOUNS {
        let rows = server.get(&format!("/api/{noun}s")).await.ok(200);
        let row = rows[0].as_object().unwrap_or_else(|| panic!("there is a {noun}"));
        let columns = server.value(&format!("SELECT jsonb_agg(attname) FROM pg_attribute WHERE attrelid = '{noun}'::regclass AND attnum > 0 AND NOT attisdropped")).await;
        let missing: Vec<_> = columns
            .as_array()
            .unwrap()
            .iter()
            .filter(|column| !row.contains_key(column.as_str().unwrap()))
            .collect();
        assert!(missing.is_empty(), "{noun}: {missing:?}");
        let one = server.get(&format!("/api/{noun}s/{}", row["id"])).await.ok(200);
        assert_eq!(&one, &rows[0], "{noun}");
    }
}

#[tokio::test]
async fn things_are_found_by_name_and_a_misspelt_one_is_guessed() {
    let server = Server::start().await;
    server.run(ROWS).await;
    for path in [
        "/api/packs/demo",
        "/api/runtimes/core.shell",
        "/api/workers/w",
        "/api/sensors/demo.cpu",
        "/api/rules/demo.tell_high",
    ] {
        server.get(path).await.ok(200);
    }
    assert!(server.get("/api/rules/demo.tel_high").await.error(404).contains("did you mean demo.tell_high?"));
    assert_eq!(server.get("/api/events/1").await.error(404), "there is no event \"1\"");
    assert_eq!(server.get("/api/workers/w/capabilities").await.ok(200), json!({"runtimes": ["shell"]}));
    server.get("/api/workers/x/capabilities").await.error(404);
}

#[tokio::test]
async fn lists_are_narrowed_and_paged() {
    let server = Server::start().await;
    let events: Vec<_> = (0..5)
        .map(|value| json!({"trigger": "demo.high", "payload": {"value": value}, "source": "test"}))
        .collect();
    server.write(&Request::json("/api/events", &json!(events))).await.ok(201);
    let values = |rows: Value| {
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["payload"]["value"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let newest = server.get("/api/events?limit=2&source=test").await.ok(200);
    assert_eq!(values(newest.clone()), [4, 3]);
    let next = server.get(&format!("/api/events?limit=2&before={}", newest[1]["id"])).await.ok(200);
    assert_eq!(values(next), [2, 1]);
    assert_eq!(server.get("/api/events?source=else").await.ok(200), json!([]));
    let of_one = server.get(&format!("/api/enforcements?event={}", newest[0]["id"])).await.ok(200);
    assert_eq!((of_one.as_array().unwrap().len(), &of_one[0]["event"]), (1, &newest[0]["id"]));
    assert_eq!(server.get("/api/rules?enabled=true").await.ok(200)[0]["ref"], "demo.tell_high");
    let unknown = server.get("/api/events?colour=red").await.error(400);
    assert!(
        unknown.contains("\"colour\"")
            && unknown.contains("trigger_ref, sensor_ref, source, key, caused_by, limit and before"),
        "{unknown}"
    );
    for wrong in ["limit=0", "limit=1001", "limit=x", "before=x"] {
        server.get(&format!("/api/events?{wrong}")).await.error(400);
    }
    server.get("/api/executions?enforcement=x").await.error(400);
}

#[tokio::test]
async fn secrets_stay_hidden() {
    let server = Server::start().await;
    server.run(ROWS).await;
    for path in ["/api/sensors/demo.cpu", "/api/sensors", "/api/packs/demo", "/api/packs"] {
        let answer = server.get(path).await;
        answer.ok(200);
        assert!(!answer.body.windows(6).any(|word| word == b"hidden"), "{path}");
    }
    assert_eq!(server.get("/api/packs/demo").await.ok(200)["config"], json!({"key": "***", "team": "red"}));
}

#[tokio::test]
async fn parameters_that_the_action_calls_secret_stay_hidden() {
    let server = Server::start().await;
    server.run("UPDATE action SET param_schema = '{\"properties\": {\"value\": {\"secret\": true}}}'").await;
    let asked =
        Request::json("/api/actions/demo.tell/executions", &json!({"params": {"value": "hidden", "a": 1}}));
    let id = server.write(&asked).await.ok(201)["id"].clone();
    let shown = json!({"value": "***", "a": 1});
    assert_eq!(server.get(&format!("/api/executions/{id}")).await.ok(200)["params"], shown);
    assert_eq!(server.get("/api/executions").await.ok(200)[0]["params"], shown);
    assert_eq!(server.get("/api/rules").await.ok(200)[0]["action_params"], json!({"value": "***"}));
    assert_eq!(server.value("SELECT params FROM execution").await["value"], "hidden");
}

#[tokio::test]
async fn times_are_utc_in_milliseconds() {
    let server = Server::start().await;
    let created = server.get("/api/packs/demo").await.ok(200)["created"].as_str().unwrap().to_owned();
    assert!(created.ends_with('Z') && created.len() == "2026-01-31T10:00:00.123Z".len(), "{created}");
}
