//! Bodies and paths that mean harm, or are simply wrong: an answer in JSON, never a panic, and the next request works.

use serde_json::{Value, json};

use crate::client::{Request, raw};
use crate::server::Server;

async fn post(server: &Server, body: &str) -> (u16, Value) {
    let answer = server.write(&Request::post("/api/events", "application/json", body)).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn bodies_that_are_no_event() {
    let server = Server::start().await;
    let deep = format!(
        "{{\"trigger\": \"demo.high\", \"payload\": {{\"a\": {}{}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let deep_but_read = format!(
        "{{\"trigger\": \"demo.high\", \"payload\": {{\"a\": {}{}}}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    let payload = |inner: &str| format!("{{\"trigger\": \"demo.high\", \"payload\": {inner}}}");
    let cases = [
        (400, String::new()),
        (400, "{".to_owned()),
        (400, "{\"trigger\": \"demo.high\"} x".to_owned()),
        (400, deep),
        (400, payload("{\"a\": 1e999}")),
        (400, payload("{\"a\": \"\\ud800\"}")),
        (400, payload("{\"a\": NaN}")),
        (422, payload("[1]")),
        (422, payload("{\"value\": \"text\"}")),
        (422, payload("{\"a\": \"\\u0000\"}")),
        (422, payload("{\"a\\u0000\": 1}")),
        (422, "7".to_owned()),
        (422, "{}".to_owned()),
        (422, "{\"trigger\": \"demo.high\", \"colour\": 1}".to_owned()),
        (422, json!({"trigger": "demo.high", "key": "k".repeat(5000)}).to_string()),
        (422, json!({"trigger": "demo.high", "key": "a\0"}).to_string()),
        (422, json!({"trigger": "demo.high", "source": "a\0"}).to_string()),
        (404, json!({"trigger": "a\0"}).to_string()),
        (404, json!({"trigger": "x".repeat(100_000)}).to_string()),
        (413, payload(&json!({"a": "x".repeat(1_100_000)}).to_string())),
        (413, " ".repeat(9_000_000)),
    ];
    for (status, body) in cases {
        let (found, answer) = post(&server, &body).await;
        assert_eq!(found, status, "{}: {answer}", &body[..body.len().min(80)]);
        assert!(answer["error"].is_string());
    }
    let (deep, _) = post(&server, &deep_but_read).await;
    assert!([201, 422].contains(&deep), "{deep}");
    // Larger than any integer of 64 bits, and still a number that JSON and PostgreSQL know.
    assert_eq!(post(&server, &payload("{\"a\": 12345678901234567890123456789}")).await.0, 201);
    assert_eq!(post(&server, &payload("{\"value\": 1}")).await.0, 201);
}

#[tokio::test]
async fn a_length_that_lies_and_a_body_that_breaks_off() {
    let server = Server::start().await;
    let huge =
        Request::post("/api/events", "application/json", "{}").replacing("content-length", "99999999999");
    server.write(&huge).await.error(413);
    let head = format!(
        "POST /api/events HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\n",
        server.address, server.token
    );
    let chunked =
        format!("{head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\n{{\"tri\r\nnonsense\r\n");
    assert_eq!(raw(server.address, chunked.as_bytes()).await.status, 400);
    assert_eq!(raw(server.address, b"nonsense\r\n\r\n").await.status, 400);
    server.get("/api/health").await.ok(200);
}

#[tokio::test]
async fn paths_and_queries_that_name_nothing() {
    let server = Server::start().await;
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/events/1/2/3",
        "/api/../etc/passwd",
        "/api/executions/x/logs",
    ] {
        server.get(path).await.error(404);
    }
    for path in [
        "/api/sensors/a%00b",
        "/api/sensors/%ff",
        "/api/sensors?ref=%00",
        "/api/executions/%00/logs",
        "/api/sensors?ref=%ff%fe",
    ] {
        assert!(matches!(server.get(path).await.status, 400 | 200), "{path}");
    }
    for path in
        ["/api/events/99999999999999999999", "/api/events/-1", "/api/executions/9223372036854775807/logs"]
    {
        server.get(path).await.error(404);
    }
    let sql = "/api/rules/'%3B%20DROP%20TABLE%20rule%3B%20--";
    server.get(sql).await.error(404);
    assert_eq!(server.get("/api/rules").await.ok(200).as_array().unwrap().len(), 1);
    for method in ["PUT", "DELETE", "PATCH"] {
        server.write(&Request::new(method, "/api/events")).await.error(405);
    }
}
