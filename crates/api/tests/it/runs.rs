//! What the run of an action may ask with a token of its own, and how far what it sends leads.

use attune_core::run_token::RunToken;
use serde_json::{Value, json};

use crate::client::{Answer, Request, send};
use crate::server::Server;

/// An API with an execution that runs; `event 1` led to it.
async fn with_run() -> (Server, RunToken) {
    let server = Server::start().await;
    let token = begin(&server).await;
    (server, token)
}

/// Sends the first event of this API, which leads to an execution. The token of its run.
pub(crate) async fn begin(server: &Server) -> RunToken {
    server.write(&Request::json("/api/events", &event(1))).await.ok(201);
    let token = RunToken::new([7; 32]);
    let hash = hex::encode(token.hash());
    server
        .run(&format!(
            "INSERT INTO worker (name, worker_type, worker_role) VALUES ('w', 'local', 'action');
             UPDATE execution SET status = 'running', worker = (SELECT id FROM worker), started = NOW();
             INSERT INTO run_token (hash, execution, attempt, depth, root)
             SELECT '\\x{hash}', x.id, x.attempt, v.depth, COALESCE(v.root, v.id)
             FROM execution x JOIN enforcement f ON f.id = x.enforcement JOIN event v ON v.id = f.event"
        ))
        .await;
    token
}

fn event(value: i64) -> Value {
    json!({"trigger": "demo.high", "payload": {"value": value}})
}

pub(crate) async fn ask(server: &Server, token: &RunToken, request: &Request) -> Answer {
    let named = request.clone().with("authorization", &format!("Bearer {}", token.reveal()));
    send(server.address, &named).await
}

async fn post(server: &Server, token: &RunToken, body: &Value) -> Answer {
    ask(server, token, &Request::json("/api/events", body)).await
}

#[tokio::test]
async fn an_event_of_a_run_says_what_caused_it() {
    let (server, token) = with_run().await;
    let id = post(&server, &token, &event(2)).await.ok(201)["id"].clone();
    let stored = server.get(&format!("/api/events/{id}")).await.ok(200);
    let execution = server.value("SELECT to_jsonb(min(id)) FROM execution").await;
    let first = server.value("SELECT to_jsonb(min(id)) FROM event").await;
    let cause = ["caused_by", "depth", "root", "source"].map(|name| &stored[name]);
    assert_eq!(cause, [&execution, &json!(1), &first, &json!("demo.tell")]);
    let sent = server.get(&format!("/api/events?caused_by={execution}")).await.ok(200);
    assert_eq!(sent.as_array().unwrap().len(), 1);
    let led = server.get(&format!("/api/executions/{execution}")).await.ok(200);
    assert_eq!(led["event"], first);
    let outside = server.get(&format!("/api/events/{first}")).await.ok(200);
    assert_eq!((&outside["caused_by"], &outside["depth"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn a_run_may_send_events_and_nothing_else() {
    let (server, token) = with_run().await;
    let others = [
        Request::json("/api/rules/demo.tell_high/disable", &json!({})),
        Request::json("/api/executions/1/cancel", &json!({})),
        Request::json("/api/actions/demo.tell/executions", &json!({"params": {"value": 1}})),
        Request::get("/api/events"),
        Request::get("/api/packs/demo/content"),
    ];
    for request in others {
        let words = ask(&server, &token, &request).await.error(403);
        assert_eq!(words, "the token of a run may only send events: POST /api/events");
    }
    let foreign = Request::json("/api/events", &event(2)).with("origin", "http://evil.example");
    ask(&server, &token, &foreign).await.error(403);
}

#[tokio::test]
async fn a_token_ends_with_its_run() {
    for end in [
        "UPDATE execution SET status = 'succeeded', finished = NOW()",
        "UPDATE execution SET status = 'requested', attempt = attempt + 1, worker = NULL, started = NULL",
        "UPDATE execution SET attempt = attempt + 1",
        "UPDATE execution SET cancel_requested = NOW()",
        "DELETE FROM run_token",
    ] {
        let (server, token) = with_run().await;
        server.run(end).await;
        let words = post(&server, &token, &event(2)).await.error(401);
        assert!(words.starts_with("the token is of no run that goes on"), "{end}: {words}");
        assert_eq!(server.value("SELECT to_jsonb(count(*)) FROM event").await, 1);
    }
    let (server, _) = with_run().await;
    post(&server, &RunToken::new([8; 32]), &event(2)).await.error(401);
}

/// An API with a sensor that runs.
async fn with_run_of_a_sensor() -> (Server, RunToken) {
    let (server, _) = with_run().await;
    let token = RunToken::new([9; 32]);
    let hash = hex::encode(token.hash());
    server
        .run(&format!(
            "INSERT INTO sensor (ref) VALUES ('demo.look');
             INSERT INTO sensor_state (sensor, epoch) SELECT id, 3 FROM sensor WHERE ref = 'demo.look'
                 ON CONFLICT (sensor) DO UPDATE SET epoch = 3;
             INSERT INTO run_token (hash, sensor, epoch) SELECT '\\x{hash}', sensor, epoch FROM sensor_state"
        ))
        .await;
    (server, token)
}

#[tokio::test]
async fn what_the_run_of_a_sensor_sends_keeps_to_its_rate() {
    let (server, token) = with_run_of_a_sensor().await;
    server.run("UPDATE sensor SET max_per_minute = 1 WHERE ref = 'demo.look'").await;
    post(&server, &token, &event(2)).await.ok(201);
    let words = post(&server, &token, &event(3)).await.error(429);
    assert!(words.starts_with("held: sensor demo.look may bring at most 1 events a minute"), "{words}");
}

#[tokio::test]
async fn what_is_not_in_does_not_count_in_its_chain() {
    let (server, token) = with_run().await;
    let counted = async || server.value("SELECT to_jsonb(events) FROM chain").await;
    let wrong = json!({"trigger": "demo.high", "payload": {"value": "text"}});
    post(&server, &token, &json!([event(2), wrong])).await.error(422);
    assert_eq!(counted().await, 0);
    let keyed = json!({"trigger": "demo.high", "payload": {"value": 4}, "key": "k"});
    post(&server, &token, &json!([keyed, event(5)])).await.ok(201);
    post(&server, &token, &keyed).await.ok(200);
    assert_eq!(counted().await, 2);
}

#[tokio::test]
async fn what_the_run_of_a_sensor_sends_comes_from_outside() {
    let (server, token) = with_run_of_a_sensor().await;
    let id = post(&server, &token, &event(2)).await.ok(201)["id"].clone();
    let stored = server.get(&format!("/api/events/{id}")).await.ok(200);
    let cause = ["caused_by", "depth", "root", "source"].map(|name| &stored[name]);
    assert_eq!(cause, [&Value::Null, &json!(0), &Value::Null, &json!("demo.look")]);
    ask(&server, &token, &Request::get("/api/events")).await.error(403);
    server.run("UPDATE run_token SET expires = NOW() + INTERVAL '1 hour'").await;
    post(&server, &token, &event(2)).await.ok(201);
    server.run("UPDATE run_token SET expires = NOW()").await;
    post(&server, &token, &event(2)).await.error(401);
    server.run("UPDATE run_token SET expires = NULL").await;
    post(&server, &token, &event(2)).await.ok(201);
    server.run("UPDATE sensor_state SET epoch = 4").await;
    post(&server, &token, &event(2)).await.error(401);
}

#[tokio::test]
async fn a_chain_that_is_too_long_ends_and_the_log_says_so_once() {
    let (server, token) = with_run().await;
    server.run("UPDATE run_token SET depth = 31").await;
    post(&server, &token, &event(2)).await.ok(201);
    server.run("UPDATE run_token SET depth = 32").await;
    let words = post(&server, &token, &event(3)).await.error(422);
    assert!(words.starts_with("32 executions led to each other already"), "{words}");
    post(&server, &token, &event(3)).await.error(422);
    let log = server.value("SELECT jsonb_agg(convert_from(data, 'UTF8')) FROM log").await;
    assert_eq!(log, json!([format!("Events were refused: {words}\n")]));
    assert_eq!(server.value("SELECT to_jsonb(max(depth)) FROM event").await, 32);
}

#[tokio::test]
async fn a_chain_with_too_many_events_ends() {
    let (server, token) = with_run().await;
    let many: Vec<_> = (0..999).map(event).collect();
    post(&server, &token, &json!(many)).await.ok(201);
    let words = post(&server, &token, &json!([event(2), event(3)])).await.error(422);
    assert!(words.contains("at most 1,000 events"), "{words}");
    // What is refused does not count.
    post(&server, &token, &event(2)).await.ok(201);
    post(&server, &token, &event(3)).await.error(422);
    assert_eq!(server.value("SELECT to_jsonb(events) FROM chain").await, 1000);
    // Another chain has its own.
    server.run("UPDATE run_token SET root = 12345").await;
    post(&server, &token, &event(4)).await.ok(201);
}
