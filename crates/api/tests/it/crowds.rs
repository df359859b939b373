//! Crowds of readers beside one that writes: what each of them can take, and what stays for others.

use std::time::Duration;

use attune_api::Limits;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgTransaction};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::client::{Answer, Request, send};
use crate::runs;
use crate::server::Server;

/// No time that a test has to wait for.
const LONG: Duration = Duration::from_mins(5);
const SHORT: Duration = Duration::from_millis(100);

fn patient() -> Limits {
    Limits {
        first_byte: LONG,
        head: LONG,
        idle: LONG,
        stall: LONG,
        wait: LONG,
        statement: LONG,
        ..Limits::default()
    }
}

/// Makes all wait that read this table.
async fn lock(server: &Server, table: &str) -> PgTransaction<'static> {
    let mut lock = server.db.pool.begin().await.unwrap();
    let statement = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut *lock).await.unwrap();
    lock
}

/// So many requests without the token that read workers; as many statements wait as have a place.
async fn readers(server: &Server, count: usize, waiting: i64) -> JoinSet<Answer> {
    crowd(server, count, waiting, || Request::get("/api/workers")).await
}

/// So many requests, as they come; as many statements wait as have a place.
async fn crowd(server: &Server, count: usize, waiting: i64, request: fn() -> Request) -> JoinSet<Answer> {
    let mut crowd = JoinSet::new();
    for _ in 0..count {
        let address = server.address;
        crowd.spawn(async move { send(address, &request()).await });
    }
    let found = "SELECT to_jsonb(count(*)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'attune-web' AND wait_event_type = 'Lock'";
    while server.value(found).await != waiting {
        tokio::task::yield_now().await;
    }
    crowd
}

fn event() -> Request {
    Request::json("/api/events", &json!({"trigger": "demo.high", "payload": {"value": 1}}))
}

#[tokio::test]
async fn a_crowd_of_readers_holds_up_neither_events_nor_the_holder_of_the_token() {
    let server = Server::start_within(patient()).await;
    let lock = lock(&server, "worker").await;
    let mut crowd = readers(&server, 50, 3).await;
    server.write(&event()).await.ok(201);
    server.write(&Request::get("/api/events")).await.ok(200);
    server.get("/api/health").await.ok(200);
    // Lists leave a place to those that want something short.
    server.get("/api/packs/demo").await.ok(200);
    assert!(crowd.try_join_next().is_none(), "they read what is locked");
    let connections = "SELECT to_jsonb(count(*)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'attune-web'";
    assert!(server.value(connections).await.as_i64() <= Some(9));
    lock.rollback().await.unwrap();
    while let Some(answer) = crowd.join_next().await {
        answer.unwrap().ok(200);
    }
}

#[tokio::test]
async fn a_reader_without_a_place_is_told_to_come_again() {
    let server = Server::start_within(Limits { wait: SHORT, ..patient() }).await;
    let lock = lock(&server, "worker").await;
    let crowd = readers(&server, 4, 3).await;
    let answer = server.get("/api/packs").await;
    assert!(answer.error(503).starts_with("too many requests are reading at once"), "{}", answer.head);
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    lock.rollback().await.unwrap();
    crowd.join_all().await;
    server.get("/api/packs").await.ok(200);
}

#[tokio::test]
async fn a_list_that_takes_too_long_is_named_with_what_to_do() {
    let server = Server::start_within(Limits { statement: SHORT, ..patient() }).await;
    let _lock = lock(&server, "worker").await;
    let error = server.get("/api/workers").await.error(504);
    assert!(
        error.starts_with("the list of workers took longer than 0.1 s in the database; ask for fewer rows"),
        "{error}"
    );
}

#[tokio::test]
async fn idle_connections_make_room_for_others() {
    let server = Server::start_within(Limits { connections: 8, reserved: 4, ..patient() }).await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    for _ in 0..20 {
        server.write(&event()).await.ok(201);
        server.get("/api/packs").await.ok(200);
    }
    let mut nothing = Vec::new();
    // The one that was idle for longest went first, and those of the requests were gone before they were needed.
    assert_eq!(idle[0].read_to_end(&mut nothing).await.unwrap_or_default(), 0);
}

#[tokio::test]
async fn requests_without_the_token_leave_connections_to_its_holder_and_to_runs() {
    let server = Server::start_within(Limits { connections: 6, reserved: 2, ..patient() }).await;
    let token = runs::begin(&server).await;
    let lock = lock(&server, "worker").await;
    let crowd = readers(&server, 4, 3).await;
    let answer = server.get("/api/packs").await;
    assert_eq!(
        answer.error(503),
        "too many requests that name no token are under way; name one, or try again in a second"
    );
    server.write(&event()).await.ok(201);
    runs::ask(&server, &token, &event()).await.ok(201);
    lock.rollback().await.unwrap();
    for answer in crowd.join_all().await {
        answer.ok(200);
    }
}

#[tokio::test]
async fn made_up_tokens_of_runs_hold_up_neither_events_nor_readers() {
    let server = Server::start_within(patient()).await;
    let lock = lock(&server, "run_token").await;
    let crowd = crowd(&server, 50, 2, || event().with("authorization", "Bearer attune_run_x")).await;
    for _ in 0..30 {
        server.write(&event()).await.ok(201);
    }
    server.get("/api/events").await.ok(200);
    lock.rollback().await.unwrap();
    for answer in crowd.join_all().await {
        answer.error(401);
    }
}

#[tokio::test]
async fn all_that_ask_for_health_at_once_share_one_connection_and_one_look() {
    let server = Server::start_within(patient()).await;
    let lock = lock(&server, "config_version").await;
    let mut crowd = crowd(&server, 50, 1, || Request::get("/api/health")).await;
    server.get("/api/events").await.ok(200);
    server.write(&Request::get("/api/events")).await.ok(200);
    assert!(crowd.try_join_next().is_none());
    lock.rollback().await.unwrap();
    for answer in crowd.join_all().await {
        answer.ok(200);
    }
}

#[tokio::test]
async fn a_row_that_takes_too_long_is_told_so() {
    let server = Server::start_within(Limits { statement: SHORT, ..patient() }).await;
    let _lock = lock(&server, "worker").await;
    let error = server.get("/api/workers/w").await.error(504);
    assert_eq!(error, "this took longer in the database than a statement may");
}

#[tokio::test]
async fn a_look_up_of_a_token_that_waits_too_long_ends() {
    let server = Server::start_within(Limits { statement: SHORT, ..patient() }).await;
    let token = runs::begin(&server).await;
    let lock = lock(&server, "run_token").await;
    runs::ask(&server, &token, &event()).await.error(503);
    lock.rollback().await.unwrap();
    runs::ask(&server, &token, &event()).await.ok(201);
}

/// A reader that asks for all events and reads nothing.
async fn slow_reader(server: &Server) -> TcpStream {
    slow(server, &Request::get("/api/events")).await
}

/// A reader that asks for something and reads nothing.
async fn slow(server: &Server, request: &Request) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(&request.bytes(server.address)).await.unwrap();
    // It has begun to answer.
    stream.readable().await.unwrap();
    stream
}

/// Four of these events are all that answers may take.
async fn server_with_little_memory(limits: Limits) -> Server {
    let server = Server::start_within(Limits { answer_bytes: 3_700_000, wait: SHORT, ..limits }).await;
    let large = json!({"trigger": "demo.high", "payload": {"text": "x".repeat(900_000)}});
    for _ in 0..6 {
        server.write(&Request::json("/api/events", &large)).await.ok(201);
    }
    server
}

#[tokio::test]
async fn slow_readers_take_the_memory_of_answers_and_no_more() {
    let server = server_with_little_memory(patient()).await;
    let slow = slow_reader(&server).await;
    // What is left is less than one row; the holder of the token has memory of its own.
    assert!(server.get("/api/events?limit=1").await.error(503).contains("memory"));
    server.write(&Request::get("/api/events?limit=4")).await.ok(200);
    server.write(&event()).await.ok(201);
    drop(slow);
    while server.get("/api/events?limit=1").await.status != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_with_its_connection() {
    let server = server_with_little_memory(Limits { stall: Duration::from_secs(1), ..patient() }).await;
    let mut slow = slow_reader(&server).await;
    while server.get("/api/events?limit=1").await.status != 200 {
        tokio::task::yield_now().await;
    }
    let mut answer = Vec::new();
    // As an end or as a reset.
    drop(slow.read_to_end(&mut answer).await);
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.len() < 3_000_000, "{} bytes", answer.len());
}

#[tokio::test]
async fn an_answer_on_its_way_is_not_broken_off_for_others() {
    let server = Server::start_within(Limits { connections: 2, reserved: 1, ..patient() }).await;
    // Some of them fit into what the kernel keeps, and some but for what the server has left to write.
    for size in (100_000..=800_000).step_by(50_000) {
        server
            .run(&format!(
                "TRUNCATE event; INSERT INTO event (trigger_ref, payload) VALUES ('demo.high', jsonb_build_object('text', repeat('x', {size})))"
            ))
            .await;
        for connection in ["close", "keep-alive"] {
            let request = Request::get("/api/events").with("connection", connection);
            let mut slow = slow(&server, &request).await;
            for _ in 0..3 {
                server.write(&Request::get("/api/health")).await.ok(200);
            }
            let (mut answer, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
            while !answer.ends_with(b"}]") {
                let read = slow.read(&mut piece).await.unwrap();
                assert_ne!(read, 0, "{connection}: {} bytes of {size}", answer.len());
                answer.extend_from_slice(&piece[..read]);
            }
        }
    }
}
