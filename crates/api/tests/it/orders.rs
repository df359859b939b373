//! What operators order: things on and off, things from a file, executions stopped and run again.

use serde_json::{Value, json};

use crate::client::{Answer, Request, send};
use crate::server::{DEMO, Server, archive_of};

fn sending(method: &str, path: &str, body: &Value) -> Request {
    Request::sending(method, path, "application/json", body.to_string())
}

async fn order(server: &Server, method: &str, path: &str, body: Value) -> Answer {
    server.write(&sending(method, path, &body)).await
}

#[tokio::test]
async fn things_are_switched() {
    let server = Server::start().await;
    let (off, on) = (json!({"enabled": false}), json!({"enabled": true}));
    for (path, name) in
        [("packs", "demo"), ("triggers", "demo.high"), ("actions", "demo.tell"), ("rules", "demo.tell_high")]
    {
        let path = format!("/api/{path}/{name}");
        for (body, enabled, changed) in [(&off, false, true), (&off, false, false), (&on, true, true)] {
            let answer = order(&server, "PATCH", &path, body.clone()).await.ok(200);
            assert_eq!(answer, json!({"ref": name, "enabled": enabled, "changed": changed}));
        }
    }
    let near = order(&server, "PATCH", "/api/rules/demo.tell_hihg", off.clone()).await.error(404);
    assert!(near.contains("did you mean demo.tell_high?"), "{near}");
    order(&server, "PATCH", "/api/runtimes/core.shell", off.clone()).await.error(405);
    order(&server, "PATCH", "/api/rules/demo.tell_high", json!({"enabled": "no"})).await.error(422);
    order(&server, "PATCH", "/api/rules/demo.tell_high", json!({"enabled": true, "action": 1}))
        .await
        .error(422);
    let stranger = send(server.address, &sending("PATCH", "/api/packs/demo", &off)).await;
    stranger.error(401);
}

#[tokio::test]
async fn a_file_of_rules_is_taken_with_its_lines() {
    let server = Server::start().await;
    let put = |text: &str| {
        let request = sending("PUT", "/api/rules", &json!({"file": "my.yaml", "text": text}));
        let server = &server;
        async move { server.write(&request).await }
    };
    let mine = "ref: my.rule\ntrigger: demo.high\naction: demo.tell\n";
    assert_eq!(put(mine).await.ok(200), json!([{"ref": "my.rule", "outcome": "created", "changes": []}]));
    let refused = put(&format!("{mine}---\nref: my.other\ntrigger: demo.hihg\naction: demo.tell\n")).await;
    assert_eq!(refused.status, 422);
    let faults = &refused.json()["faults"];
    assert_eq!(
        faults[0],
        json!({"file": "my.yaml", "line": 6, "field": "trigger", "message": "there is no trigger \"demo.hihg\" (did you mean demo.high?)"})
    );
    order(&server, "PUT", "/api/rules", json!({"text": mine})).await.error(422);
    order(&server, "PUT", "/api/runtimes", json!({"file": "-", "text": mine})).await.error(405);
}

#[tokio::test]
async fn a_pack_is_compared_and_not_loaded() {
    let server = Server::start().await;
    let mut files = DEMO;
    files[4].1 = "ref: demo.tell_high\ntrigger: demo.high\naction: demo.tell\naction_params: {value: 7}\n";
    let upload = Request::post("/api/packs/diff", "application/gzip", archive_of(&files));
    let report = server.write(&upload).await.ok(200);
    assert_eq!(report["changes"][0]["new"], json!({"value": 7}));
    assert_eq!(report["files"], json!([{"path": "rules/tell.yaml", "change": "changed"}]));
    assert_eq!(server.value("SELECT to_jsonb(count(*)) FROM rule WHERE revision > 1").await, 0);
}

#[tokio::test]
async fn an_execution_is_cancelled_and_run_again() {
    let server = Server::start().await;
    let asked =
        order(&server, "POST", "/api/actions/demo.tell/executions", json!({"params": {"value": 3}})).await;
    let id = asked.ok(201)["id"].clone();
    let (cancel, retry) = (format!("/api/executions/{id}/cancel"), format!("/api/executions/{id}/retry"));
    assert_eq!(
        order(&server, "POST", &retry, json!({})).await.error(409),
        format!("execution {id} is requested; only what has ended can be run again")
    );
    let answer = order(&server, "POST", &cancel, json!({})).await.ok(200);
    assert_eq!(answer, json!({"id": id, "status": "cancelled", "changed": true}));
    assert_eq!(
        order(&server, "POST", &cancel, json!({})).await.error(409),
        format!("execution {id} has ended already: cancelled")
    );
    let again = order(&server, "POST", &retry, json!({})).await.ok(201);
    assert_eq!(again["again"], id);
    let row = server.get(&format!("/api/executions?retry_of={id}")).await.ok(200);
    assert_eq!((&row[0]["id"], &row[0]["params"]["value"]), (&again["id"], &json!(3)));

    let second = &again["id"];
    server.run(&format!("INSERT INTO worker (name, worker_type, worker_role) VALUES ('w', 'local', 'action');
        UPDATE execution SET status = 'running', started = NOW(), worker = (SELECT id FROM worker) WHERE id = {second}")).await;
    for changed in [true, false] {
        let answer =
            order(&server, "POST", &format!("/api/executions/{second}/cancel"), json!({})).await.ok(202);
        assert_eq!(answer, json!({"id": second, "status": "running", "changed": changed}));
    }
    for unknown in ["424242", "x", "-1"] {
        order(&server, "POST", &format!("/api/executions/{unknown}/cancel"), json!({})).await.error(404);
        order(&server, "POST", &format!("/api/executions/{unknown}/retry"), json!({})).await.error(404);
    }
    server.run("UPDATE execution SET status = 'succeeded', finished = NOW()").await;
    let refused = order(&server, "POST", &retry, json!({"force": false})).await.error(409);
    assert!(refused.ends_with("to run it again nevertheless, use --force"), "{refused}");
    order(&server, "POST", &retry, json!({"force": true})).await.ok(201);
}

#[tokio::test]
async fn many_executions_are_counted_and_then_cancelled() {
    let server = Server::start().await;
    let cancel = |body: Value| {
        let server = &server;
        async move { order(server, "POST", "/api/executions/cancel", body).await }
    };
    for value in 0..3 {
        let body = json!({"params": {"value": value}});
        order(&server, "POST", "/api/actions/demo.tell/executions", body).await.ok(201);
    }
    let fits = json!({"action_ref": "demo.tell", "status": "requested"});
    let counted = json!({"requested": 3, "running": 0, "dry_run": true});
    assert_eq!(cancel(json!({"where": fits, "dry_run": true})).await.ok(200), counted);
    assert_eq!(cancel(json!({"where": {"older_than": "1h"}})).await.ok(200)["requested"], 0);
    let cancelled = json!({"requested": 3, "running": 0, "dry_run": false});
    assert_eq!(cancel(json!({"where": fits})).await.ok(200), cancelled);
    assert_eq!(cancel(json!({"where": fits})).await.ok(200)["requested"], 0);
    for (body, words) in [
        (json!({}), "name what to cancel"),
        (json!({"where": {"status": "failed"}}), "requested or running"),
        (json!({"where": {"older_than": "soon"}}), "older_than"),
    ] {
        let refused = cancel(body).await.error(422);
        assert!(refused.contains(words), "{refused}");
    }
    cancel(json!({"where": {"colour": "red"}})).await.error(422);
}
