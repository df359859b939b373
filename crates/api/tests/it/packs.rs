//! Packs in: a report, or the author's lines.

use serde_json::json;

use crate::client::Request;
use crate::server::{DEMO, Server, archive_of};

fn upload(files: &[(&str, &str)]) -> Request {
    Request::post("/api/packs", "application/gzip", archive_of(files))
}

#[tokio::test]
async fn a_load_answers_with_its_report() {
    let server = Server::start_empty().await;
    let report = server.write(&upload(&DEMO)).await.ok(200);
    assert_eq!((&report["pack"], &report["version"]), (&json!("demo"), &json!("1.0.0")));
    assert_eq!(report["created"], json!(["demo", "demo.high", "demo.tell", "demo.tell_high"]));
    let again = server.write(&upload(&DEMO)).await.ok(200);
    assert_eq!(
        (&again["created"], &again["updated"], &again["unchanged"]),
        (&json!([]), &json!([]), &report["created"])
    );
}

#[tokio::test]
async fn faults_name_file_line_and_field() {
    let server = Server::start_empty().await;
    let mut files = DEMO.to_vec();
    files.push(("rules/bad.yaml", "ref: demo.bad\ntrigger: demo.hihg\naction: web.get\n"));
    let answer = server.write(&upload(&files)).await;
    assert!(answer.error(422).starts_with("nothing was loaded; the pack is not valid"));
    let fault = &answer.json()["faults"][0];
    assert_eq!(
        (&fault["file"], &fault["line"], &fault["field"]),
        (&json!("rules/bad.yaml"), &json!(2), &json!("trigger"))
    );
    assert!(fault["message"].as_str().unwrap().contains("did you mean demo.high?"));
    assert_eq!(server.get("/api/rules").await.ok(200), json!([]));
}

#[tokio::test]
async fn what_is_no_archive_is_refused() {
    let server = Server::start_empty().await;
    for body in [Vec::new(), b"not gzip".to_vec(), archive_of(&DEMO)[..100].to_vec()] {
        let answer = server.write(&Request::post("/api/packs", "application/gzip", body)).await;
        answer.error(422);
        assert_eq!(answer.json()["faults"], json!([]));
    }
    let large = Request::post("/api/packs", "application/gzip", "").replacing("content-length", "70000000");
    server.write(&large).await.error(413);
}

#[tokio::test]
async fn the_content_comes_back_to_whoever_holds_the_token() {
    let server = Server::start().await;
    let request = Request::get("/api/packs/demo/content");
    let content = server.write(&request).await;
    assert_eq!((content.status, content.body), (200, archive_of(&DEMO)));
    assert!(content.head.contains("content-type: application/gzip"));
    assert!(server.get("/api/packs/demo/content").await.error(401).contains("token"));
    let near = server.write(&Request::get("/api/packs/dmo/content")).await.error(404);
    assert!(near.contains("did you mean demo?"), "{near}");
    server.run("INSERT INTO pack (ref, name, version) VALUES ('bare', 'Bare', '1.0.0')").await;
    assert_eq!(
        server.write(&Request::get("/api/packs/bare/content")).await.error(404),
        "pack bare has no content"
    );
}
