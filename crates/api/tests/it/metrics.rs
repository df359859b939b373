//! What Prometheus reads, and what a sensor or an action took.

use serde_json::json;

use crate::client::Request;
use crate::server::Server;

async fn page(server: &Server) -> String {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.body.escape_ascii());
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    String::from_utf8(answer.body).unwrap()
}

fn assert_has(page: &str, line: &str) {
    assert!(page.lines().any(|known| known == line), "no {line} in {page}");
}

const USED: &str = "
    INSERT INTO usage SELECT 'action', id, 'ever', '-infinity', 4, 1, 0, 0, 4, 2500000, 3000000, 9, 80, 0, 7 FROM action WHERE ref = 'demo.tell';
    INSERT INTO usage SELECT 'action', id, 'hour', date_trunc('hour', now()), 4, 1, 0, 0, 4, 2500000, 3000000, 1750000, 80, 0, 5000000
        FROM action WHERE ref = 'demo.tell'";

#[tokio::test]
async fn the_page_tells_of_every_action_and_of_the_queue() {
    let server = Server::start().await;
    let before = page(&server).await;
    assert_has(&before, "attune_executions{status=\"requested\"} 0");
    assert_has(&before, "attune_action_cpu_seconds_total{action=\"demo.tell\"} 0");
    server.run(USED).await;
    let event = json!({"trigger": "demo.high", "payload": {"value": 1}});
    server.write(&Request::json("/api/events", &event)).await.ok(201);
    let queued = page(&server).await;
    assert_has(&queued, "attune_executions{status=\"requested\"} 1");
    assert_has(&queued, "attune_action_attempts_total{action=\"demo.tell\",result=\"succeeded\"} 3");
    assert_has(&queued, "attune_action_cpu_seconds_total{action=\"demo.tell\"} 2.5");
    assert_has(&queued, "attune_action_peak_memory_bytes{action=\"demo.tell\"} 5000000");
    server.run("UPDATE execution SET status = 'cancelled', finished = now()").await;
    assert_has(&page(&server).await, "attune_executions{status=\"requested\"} 0");
}

#[tokio::test]
async fn who_is_deleted_has_no_series_and_leaves_no_figures() {
    let server = Server::start().await;
    server.run(USED).await;
    server.run("DELETE FROM rule; DELETE FROM action WHERE ref = 'demo.tell'").await;
    assert!(!page(&server).await.contains("demo.tell"));
    assert_eq!(server.value("SELECT to_jsonb(count(*)) FROM usage").await, 0);
}

#[tokio::test]
async fn it_is_read_as_everything_else_is() {
    let server = Server::start_empty().await;
    let foreign = Request::get("/metrics").with("host", "attune.example");
    crate::client::send(server.address, &foreign).await.error(421);
    server.write(&Request::json("/metrics", &json!({}))).await.error(405);
}

#[tokio::test]
async fn rolling_figures_are_of_what_is_not_long_ago() {
    let server = Server::start().await;
    server.run(USED).await;
    let used = server.get("/api/actions/demo.tell/usage").await.ok(200);
    assert_eq!(used["last_hour"]["runs"], 0);
    assert_eq!(used["last_day"]["runs"], 4);
    assert_eq!(used["last_day"]["cpu_ms_per_run"], 625.0);
    assert_eq!(used["last_day"]["longest_ms"], 1750.0);
    assert_eq!(used["last_day"]["peak_memory_bytes"], 5_000_000);
    server.run("UPDATE usage SET start = start - INTERVAL '26 hours' WHERE period = 'hour'").await;
    assert_eq!(server.get("/api/actions/demo.tell/usage").await.ok(200)["last_day"]["runs"], 0);
    server.get("/api/actions/demo.tel/usage").await.error(404);
}
