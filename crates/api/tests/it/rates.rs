//! What is held says so, to a sender of too much and in lists.

use serde_json::{Value, json};

use crate::client::Request;
use crate::server::Server;

fn event() -> Request {
    Request::json("/api/events", &json!({"trigger": "demo.high", "payload": {"value": 5}}))
}

#[tokio::test]
async fn a_trigger_that_is_held_says_when_to_come_back() {
    let server = Server::start().await;
    server.run("UPDATE trigger SET max_per_minute = 1 WHERE ref = 'demo.high'").await;
    server.write(&event()).await.ok(201);
    let refused = server.write(&event()).await;
    let words = refused.error(429);
    assert!(
        words.starts_with("held: trigger demo.high takes at most 1 events a minute (max_per_minute); try"),
        "{words}"
    );
    let wait = refused.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=60).contains(&wait.trim().parse::<u32>().unwrap()), "{wait}");
    let trigger = server.get("/api/triggers/demo.high").await.ok(200);
    assert!(trigger["held_since"].is_string(), "{trigger}");
}

#[tokio::test]
async fn a_rule_that_is_held_shows_since_when() {
    let server = Server::start().await;
    let rule = async || server.get("/api/rules/demo.tell_high").await.ok(200)["held_since"].clone();
    server.run("UPDATE rule SET max_per_minute = 1").await;
    server.write(&event()).await.ok(201);
    assert_eq!(rule().await, Value::Null);
    assert_eq!(server.write(&event()).await.ok(201)["failed"], 1);
    assert!(rule().await.is_string());
    server.run("UPDATE held SET until = NOW()").await;
    assert_eq!(rule().await, Value::Null);
}
