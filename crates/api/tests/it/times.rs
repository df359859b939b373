//! How long a connection may do nothing, and what a refusal looks like to a client that still sends.

use std::time::Duration;

use attune_api::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Request, raw, stubborn};
use crate::server::Server;

/// No time that a test has to wait for.
const LONG: Duration = Duration::from_mins(5);
const SHORT: Duration = Duration::from_millis(50);

fn patient() -> Limits {
    Limits { first_byte: LONG, head: LONG, idle: LONG, stall: LONG, ..Limits::default() }
}

/// Everything until the server closes.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    rest
}

#[tokio::test]
async fn a_connection_that_sends_nothing_ends() {
    let server = Server::start_within(Limits { first_byte: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_ends() {
    let server = Server::start_within(Limits { head: Duration::from_millis(300), ..patient() }).await;
    let (mut read, mut write) = TcpStream::connect(server.address).await.unwrap().into_split();
    let trickle = tokio::spawn(async move {
        write.write_all(b"GET /api/health HTTP/1.1\r\nx: ").await.unwrap();
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut answer = Vec::new();
    // Whether as an end or as a reset: what counts is that it ends.
    drop(read.read_to_end(&mut answer).await);
    assert_eq!(answer, b"");
    trickle.await.unwrap();
}

#[tokio::test]
async fn a_connection_between_two_requests_ends() {
    let server = Server::start_within(Limits { idle: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&Request::get("/api/health").bytes(server.address)).await.unwrap();
    assert!(rest(&mut stream).await.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_told_so() {
    let server = Server::start_within(Limits { stall: SHORT, ..patient() }).await;
    let event = Request::post("/api/events", "application/json", "{").replacing("content-length", "10");
    let event = event.with("authorization", &format!("Bearer {}", server.token));
    assert_eq!(
        raw(server.address, &event.bytes(server.address)).await.error(408),
        "the body did not arrive in time"
    );
}

#[tokio::test]
async fn a_client_that_sends_everything_first_reads_the_refusal() {
    let server = Server::start().await;
    let authorization = format!("Bearer {}", server.token);
    let large = "x".repeat(20_000_000);
    for (path, status) in [("/api/nothing", 404), ("/api/health", 405), ("/api/events", 413)] {
        let request = Request::post(path, "application/json", large.as_str());
        let request = request.with("authorization", &authorization);
        stubborn(server.address, &request.bytes(server.address)).await.error(status);
    }
    let unknown = Request::post("/api/events", "application/json", large.as_str());
    stubborn(server.address, &unknown.bytes(server.address)).await.error(401);
    let archive = Request::post("/api/packs", "application/gzip", "x".repeat(70_000_000));
    let archive = archive.with("authorization", &authorization);
    stubborn(server.address, &archive.bytes(server.address)).await.error(413);
}

#[tokio::test]
async fn a_head_has_a_limit_to_the_byte_or_so() {
    let server = Server::start().await;
    let with =
        |bytes: usize| Request::get("/api/health").with("x", &"x".repeat(bytes)).with("connection", "close");
    raw(server.address, &with(60_000).bytes(server.address)).await.ok(200);
    for bytes in [66_000, 100_000] {
        let answer = stubborn(server.address, &with(bytes).bytes(server.address)).await;
        assert_eq!(answer.error(431), "the head of the request is larger than 65536 bytes");
    }
    assert_eq!(stubborn(server.address, &with(300_000).bytes(server.address)).await.status, 431);
}
