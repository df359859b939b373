//! Executions by hand, and their logs.

use serde_json::{Value, json};

use crate::client::Request;
use crate::server::Server;

async fn execute(server: &Server, action: &str, body: &Value) -> crate::client::Answer {
    server.write(&Request::json(&format!("/api/actions/{action}/executions"), body)).await
}

#[tokio::test]
async fn an_execution_is_requested_with_checked_parameters() {
    let server = Server::start().await;
    let id = execute(&server, "demo.tell", &json!({"params": {"value": 3}})).await.ok(201)["id"].clone();
    let execution = server.get(&format!("/api/executions/{id}")).await.ok(200);
    assert_eq!(
        (&execution["status"], &execution["params"]),
        (&json!("requested"), &json!({"value": 3, "tone": "calm"}))
    );
    assert!(execute(&server, "demo.tel", &json!({})).await.error(404).contains("did you mean demo.tell?"));
    for wrong in [
        json!({}),
        json!({"params": {"value": "x"}}),
        json!({"params": {"value": 1, "a": "\0"}}),
        json!({"params": []}),
        json!({"parms": {}}),
    ] {
        execute(&server, "demo.tell", &wrong).await.error(422);
    }
    server.run("UPDATE action SET enabled = FALSE").await;
    assert_eq!(
        execute(&server, "demo.tell", &json!({"params": {"value": 3}})).await.error(409),
        "action demo.tell is disabled"
    );
}

#[tokio::test]
async fn a_log_comes_back_byte_for_byte() {
    let server = Server::start().await;
    let id = execute(&server, "demo.tell", &json!({"params": {"value": 3}})).await.ok(201)["id"].clone();
    let path = format!("/api/executions/{id}/logs");
    assert_eq!(server.get(&path).await.body, b"");
    server.run(&format!("INSERT INTO log (execution, attempt, data) VALUES ({id}, 1, '\\x00ff0a'), ({id}, 1, 'b'), ({id}, 2, 'c')")).await;
    let whole = server.get(&path).await;
    assert_eq!((whole.status, whole.body.as_slice()), (200, b"\x00\xff\nbc".as_slice()));
    assert!(whole.head.contains("content-type: text/plain"));
    assert_eq!(server.get(&format!("{path}?attempt=2")).await.body, b"c");
    server.get(&format!("{path}?attempt=x")).await.error(400);
    server.get(&format!("{path}?colour=1")).await.error(400);
    server.get("/api/executions/424242/logs").await.error(404);
}
