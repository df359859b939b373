//! What a rule would make of an event: an answer, and nothing written.

use serde_json::{Value, json};

use crate::client::{Answer, Request, send};
use crate::server::Server;

async fn ask(server: &Server, rule: &str, question: &Value) -> Answer {
    server.write(&Request::json(&format!("/api/rules/{rule}/test"), question)).await
}

#[tokio::test]
async fn an_event_is_judged_and_not_stored() {
    let server = Server::start().await;
    let fires = ask(&server, "demo.tell_high", &json!({"event": {"value": 3}})).await.ok(200);
    assert_eq!(
        fires,
        json!({"rule": "demo.tell_high", "notes": [], "fires": true, "action": "demo.tell", "params": {"value": 3, "tone": "calm"}})
    );
    let refused = ask(&server, "demo.tell_high", &json!({"event": {"value": "x"}})).await.ok(200);
    assert_eq!((&refused["fires"], &refused["because"]), (&json!(false), &json!("event")));
    assert_eq!(server.value("SELECT to_jsonb(count(*)) FROM event").await, 0);
}

#[tokio::test]
async fn stored_events_are_judged_by_the_rule_as_it_is_now() {
    let server = Server::start().await;
    for value in [1, 2, 3] {
        let event = json!({"trigger": "demo.high", "payload": {"value": value}});
        server.write(&Request::json("/api/events", &event)).await.ok(201);
    }
    let conditions = r#"[{"field": "payload.value", "operator": "greater_than", "value": 2}]"#;
    server.run(&format!("UPDATE rule SET enabled = FALSE, conditions = '{conditions}'")).await;
    let history = ask(&server, "demo.tell_high", &json!({"last": 2})).await.ok(200);
    let fires: Vec<_> = history["events"].as_array().unwrap().iter().map(|event| &event["fires"]).collect();
    assert_eq!((fires, &history["fires"]), (vec![&json!(true), &json!(false)], &json!(1)));
    assert_eq!(
        history["notes"],
        json!(["rule demo.tell_high is disabled, by itself or with its pack: it sees no event"])
    );
}

#[tokio::test]
async fn questions_that_can_not_be_answered_are_refused() {
    let server = Server::start().await;
    for wrong in [
        json!({}),
        json!({"event": {}, "last": 1}),
        json!({"last": 0}),
        json!({"last": 1001}),
        json!({"event": 7}),
        json!({"events": []}),
    ] {
        ask(&server, "demo.tell_high", &wrong).await.error(422);
    }
    let question = json!({"event": {}});
    assert!(
        ask(&server, "demo.tell_hihg", &question).await.error(404).contains("did you mean demo.tell_high?")
    );
    let without_token = Request::json("/api/rules/demo.tell_high/test", &question);
    send(server.address, &without_token).await.error(401);
    server.run("UPDATE rule SET trigger = NULL, trigger_ref = NULL").await;
    assert_eq!(
        ask(&server, "demo.tell_high", &question).await.error(409),
        "rule demo.tell_high is broken: it has no trigger"
    );
}
