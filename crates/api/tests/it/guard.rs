//! Who may ask: this machine under its own name, no other site, and for a write the token's owner.

use serde_json::json;

use crate::client::{Request, send};
use crate::server::Server;

#[tokio::test]
async fn reading_needs_no_token_and_writing_does() {
    let server = Server::start().await;
    server.get("/api/triggers").await.ok(200);
    let event = Request::json("/api/events", &json!({"trigger": "demo.high"}));
    let refused = send(server.address, &event).await;
    assert!(refused.error(401).contains("api.token"));
    assert!(refused.head.contains("www-authenticate: bearer"));
    let wrong = format!("Bearer {}0", &server.token[1..]);
    for wrong in [wrong.as_str(), "Bearer", "Bearer ", &server.token, "Basic x"] {
        send(server.address, &event.clone().with("authorization", wrong)).await.error(401);
    }
    for path in ["/api/packs", "/api/actions/demo.tell/executions", "/api/nothing"] {
        send(server.address, &Request::json(path, &json!({}))).await.error(401);
    }
    assert_eq!(server.value("SELECT to_jsonb(count(*)) FROM event").await, 0);
    server.write(&event).await.ok(201);
}

#[tokio::test]
async fn other_hosts_are_refused() {
    let server = Server::start_empty().await;
    let health = Request::get("/api/health");
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1:8080", "127.0.0.1.evil.example"] {
        send(server.address, &health.clone().replacing("host", host)).await.error(421);
    }
    send(server.address, &health.clone().replacing("host", "(none)")).await.error(400);
    send(server.address, &health.clone().with("host", "localhost").with("host", "evil.example"))
        .await
        .error(400);
    let absolute = Request::get("http://evil.example/api/health").replacing("host", "localhost");
    send(server.address, &absolute).await.error(421);
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080"] {
        send(server.address, &health.clone().replacing("host", host)).await.ok(200);
    }
}

#[tokio::test]
async fn other_sites_are_refused_even_with_the_token() {
    let server = Server::start_empty().await;
    let event = Request::json("/api/events", &json!({"trigger": "demo.high"}));
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        server.write(&event.clone().with(name, value)).await.error(403);
        send(server.address, &Request::get("/api/events").with(name, value)).await.error(403);
    }
    let own = format!("http://{}", server.address);
    send(server.address, &Request::get("/api/events").with("origin", &own)).await.ok(200);
    // A preflight is not answered as one.
    let preflight = Request::new("OPTIONS", "/api/events").with("origin", "http://evil.example");
    let answer = send(server.address, &preflight).await;
    answer.error(403);
    assert!(!answer.head.contains("access-control"));
}

#[tokio::test]
async fn only_json_and_only_gzip_are_taken() {
    let server = Server::start_empty().await;
    let body = r#"{"trigger": "demo.high"}"#;
    for wrong in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""] {
        server.write(&Request::post("/api/events", wrong, body)).await.error(415);
        server.write(&Request::post("/api/packs", wrong, body)).await.error(415);
    }
    server.write(&Request::post("/api/packs", "application/json", body)).await.error(415);
    let packed = Request::post("/api/events", "application/json", body).with("content-encoding", "gzip");
    server.write(&packed).await.error(415);
    server.write(&Request::post("/api/events", "Application/JSON; charset=utf-8", body)).await.error(404);
}

#[tokio::test]
async fn answers_are_neither_sniffed_nor_kept() {
    let server = Server::start_empty().await;
    for path in ["/api/health", "/api/nothing"] {
        let head = server.get(path).await.head;
        assert!(
            head.contains("x-content-type-options: nosniff") && head.contains("cache-control: no-store"),
            "{head}"
        );
    }
}
