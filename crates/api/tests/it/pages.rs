//! Lists and logs that are longer than an answer may be.

use attune_api::Limits;
use attune_common::repositories::listing::{self, Filter, Noun};
use serde_json::{Value, json};

use crate::client::{Answer, Request};
use crate::server::Server;

fn next(answer: &Answer) -> Option<String> {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("link: "))?;
    Some(line.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned())
}

/// The pages from this one on: the field of each row.
async fn pages(server: &Server, first: &str, field: &str) -> Vec<Vec<Value>> {
    let (mut path, mut pages) = (Some(first.to_owned()), Vec::new());
    while let Some(at) = path {
        let answer = server.get(&at).await;
        pages.push(answer.ok(200).as_array().unwrap().iter().map(|row| row[field].clone()).collect());
        path = next(&answer);
    }
    pages
}

#[tokio::test]
async fn a_page_ends_at_its_bytes_and_says_where_the_next_one_begins() {
    let server = Server::start_within(Limits { page_bytes: 100_000, ..Limits::default() }).await;
    let events: Vec<_> = (1..=20)
        .map(|n| json!({"trigger": "demo.high", "payload": {"text": "x".repeat(20_000), "value": n}, "source": "a & b"}))
        .collect();
    server.write(&Request::json("/api/events", &json!(events))).await.ok(201);
    let found = pages(&server, "/api/events?source=a+%26+b", "id").await;
    assert!(found.len() >= 5 && found.iter().all(|page| (1..=4).contains(&page.len())), "{found:?}");
    let ids: Vec<i64> = found.concat().iter().map(|id| id.as_i64().unwrap()).collect();
    let wanted = server.value("SELECT jsonb_agg(id ORDER BY id DESC) FROM event").await;
    assert_eq!(json!(ids), wanted);
    // A limit counts the rows of all pages that one list took.
    let first = server.get("/api/events?limit=6").await;
    let shown = first.ok(200).as_array().unwrap().len();
    assert!(next(&first).unwrap().ends_with(&format!("limit={}", 6 - shown)), "{}", first.head);
}

#[tokio::test]
async fn a_page_that_has_everything_names_no_next_one() {
    let server = Server::start().await;
    server
        .run("INSERT INTO event (trigger_ref, payload) SELECT 'demo.high', '{}' FROM generate_series(1, 600)")
        .await;
    let whole = server.get("/api/events?limit=600").await;
    assert_eq!((whole.ok(200).as_array().unwrap().len(), next(&whole)), (600, None));
    assert_eq!(
        pages(&server, "/api/events?limit=599", "id").await.iter().map(Vec::len).collect::<Vec<_>>(),
        [599, 1]
    );
}

#[tokio::test]
async fn a_row_larger_than_a_page_is_a_page() {
    let server = Server::start_within(Limits { page_bytes: 1000, ..Limits::default() }).await;
    server.run("INSERT INTO event (trigger_ref, payload) SELECT 'demo.high', jsonb_build_object('text', repeat('x', 5000)) FROM generate_series(1, 3)").await;
    assert_eq!(pages(&server, "/api/events", "id").await.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test]
async fn rows_that_are_suddenly_large_end_a_piece_and_none_is_lost() {
    let server = Server::start().await;
    let insert = |count: usize, size: usize| {
        format!(
            "INSERT INTO event (trigger_ref, payload) SELECT 'demo.high', jsonb_build_object('text', repeat('x', {size})) FROM generate_series(1, {count})"
        )
    };
    server.run(&insert(60, 300_000)).await;
    server.run(&insert(20, 10)).await;
    let filter = Filter { limit: 80, ..Filter::default() };
    let piece = listing::list(&server.db.pool, Noun::Event, &filter, 1_000_000).await.unwrap();
    assert_eq!((piece.rows.len(), piece.is_cut), (24, true));
    let found = pages(&server, "/api/events?limit=80", "id").await.concat();
    let wanted = server.value("SELECT jsonb_agg(id ORDER BY id DESC) FROM event").await;
    assert_eq!((found.len(), json!(found)), (80, wanted));
}

#[tokio::test]
async fn things_are_paged_by_name_and_namesakes_are_not_lost() {
    let server = Server::start_within(Limits { page_bytes: 1000, ..Limits::default() }).await;
    server.run("INSERT INTO worker (name, worker_type, worker_role) VALUES ('b', 'local', 'sensor'), ('a/1', 'local', 'action'), ('b', 'local', 'action'), ('c', 'local', 'sensor')").await;
    let names = pages(&server, "/api/workers?limit=1", "name").await.concat();
    assert_eq!(json!(names), json!(["a/1", "b", "b", "c"]));
    let refs = pages(&server, "/api/runtimes?limit=2", "ref").await.concat();
    assert_eq!(json!(refs), server.value("SELECT jsonb_agg(ref ORDER BY ref) FROM runtime").await);
    let after = server.get("/api/workers?after=b").await.ok(200);
    assert_eq!((after.as_array().unwrap().len(), &after[0]["name"]), (1, &json!("c")));
    server.get("/api/events?after=b").await.error(400);
}

#[tokio::test]
async fn a_log_of_many_parts_is_whole() {
    let server = Server::start().await;
    let asked = Request::json("/api/actions/demo.tell/executions", &json!({"params": {"value": 1}}));
    let id = server.write(&asked).await.ok(201)["id"].clone();
    server.run(&format!("INSERT INTO log (execution, attempt, data) SELECT {id}, 1 + n / 8, convert_to(repeat(n::text, 400000), 'UTF8') FROM generate_series(0, 15) n")).await;
    let answer = server.write(&Request::get(&format!("/api/executions/{id}/logs"))).await;
    let wanted: String = (0..16).map(|n| n.to_string().repeat(400_000)).collect();
    assert!(answer.head.contains("transfer-encoding: chunked"), "{}", answer.head);
    assert!(unchunked(&answer.body) == wanted.as_bytes());
    let second = server.get(&format!("/api/executions/{id}/logs?attempt=2")).await;
    assert_eq!(unchunked(&second.body).len(), 400_000 * (2 + 6 * 2));
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 2 + length + 2..];
    }
}
