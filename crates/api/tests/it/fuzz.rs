//! Requests that are nearly right: each is answered in words or its connection ends, and the next one works.

#[path = "../../../core/tests/it/fuzz/mutated.rs"]
mod mutated;

use std::net::SocketAddr;
use std::time::Duration;

use attune_api::Limits;
use mutated::{few, mutated};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::Request;
use crate::server::{DEMO, Server, archive_of};

/// So many at once: most of the time is spent with waiting for what does not come.
const AT_ONCE: u32 = 32;

fn seeds(server: &Server) -> Vec<Vec<u8>> {
    let event = json!({"trigger": "demo.high", "payload": {"value": 1}, "key": "k", "source": "s"});
    let requests = [
        Request::json("/api/events", &event),
        Request::post("/api/packs", "application/gzip", archive_of(&DEMO)),
        Request::json("/api/actions/demo.tell/executions", &json!({"params": {"value": 1}})),
        Request::json("/api/rules/demo.tell_high/test", &json!({"last": 3})),
        Request::get("/api/events?limit=3&trigger=demo.high&before=9"),
        Request::get("/api/executions/1/logs"),
    ];
    let bytes = |request: Request| {
        let token = format!("Bearer {}", server.token);
        request.with("authorization", &token).with("connection", "close").bytes(server.address)
    };
    requests.map(bytes).into()
}

/// What the server says until it ends the connection.
async fn answer(address: SocketAddr, request: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let mut said = Vec::new();
    // It may end the connection before it has read everything.
    drop(write.write_all(&request).await);
    drop(read.read_to_end(&mut said).await);
    (request, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_in_words_or_end() {
    let soon = Duration::from_millis(500);
    let server = Server::start_within(Limits {
        first_byte: soon,
        head: soon,
        idle: soon,
        stall: soon,
        ..Limits::default()
    })
    .await;
    let (mut runner, requests) = (TestRunner::new(few()), mutated(seeds(&server)));
    for _ in 0..runner.config().cases.div_ceil(AT_ONCE) {
        let mut answers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let request = requests.new_tree(&mut runner).unwrap().current();
            answers.spawn(answer(server.address, request));
        }
        while let Some(answered) = answers.join_next().await {
            let (request, said) = answered.unwrap();
            let is_well = said.is_empty() || said.starts_with(b"HTTP/1.") && !said[8..].starts_with(b" 500");
            assert!(is_well, "{}\nwas answered\n{}", request.escape_ascii(), said.escape_ascii());
        }
        server.get("/api/health").await.ok(200);
    }
    let event = json!({"trigger": "demo.high", "payload": {"value": 1}});
    server.write(&Request::json("/api/events", &event)).await.ok(201);
}
