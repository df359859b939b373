//! Server-sent events of an HTTP server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use attune_testkit::trial::rounds;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::{Streaming, assert_each_once};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 50\n\n";
/// After so many events the server closes the connection.
const MOST: usize = 37;
/// Ids begin with what a header holds only as bytes.
const NUMBER: char = '№';

/// Starts a server whose threads answer connections until the test is over; gives its address.
fn serve(answer: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/events", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (connection, answer) = (connection.unwrap(), Arc::clone(&answer));
            thread::spawn(move || {
                let last = last_event_id(&connection);
                answer(connection, last);
            });
        }
    });
    address
}

/// Reads a request; 0 for one that says nothing of an event.
fn last_event_id(connection: &TcpStream) -> usize {
    let lines = BufReader::new(connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let named = lines.filter_map(|line| {
        line.to_lowercase().strip_prefix("last-event-id: ")?.strip_prefix(NUMBER)?.parse().ok()
    });
    named.last().unwrap_or(0)
}

#[tokio::test]
async fn each_event_of_a_server_is_stored_once_whatever_is_cut_or_killed() {
    let there = Arc::new(AtomicUsize::new(0));
    let goes_on = Arc::clone(&there);
    let url = serve(move |mut connection, last| {
        let mut next = last + 1;
        let mut go_on = connection.write_all(HEAD.as_bytes()).is_ok();
        while go_on && next <= last + MOST {
            if next > goes_on.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
                go_on = connection.write_all(b": nothing new\n").is_ok();
                continue;
            }
            let event = format!("id: {NUMBER}{next}\ndata: {{\"n\": {next}}}\n\n");
            go_on = connection.write_all(event.as_bytes()).is_ok();
            next += 1;
        }
    });
    let mut streaming = Streaming::start("server_events", "server_event", &json!({"url": url})).await;
    there.store(1, Ordering::Relaxed);
    streaming.fixture.eventually(&format!("SELECT FROM event WHERE payload->>'id' = '{NUMBER}1'")).await;
    let rounds = rounds(6);
    for round in 1..=rounds {
        there.store(50 * round, Ordering::Relaxed);
        let some = format!("SELECT FROM event HAVING count(*) > {}", 50 * (round - 1));
        streaming.fixture.eventually(&some).await;
        streaming.kill().await;
    }
    let tally = streaming.tally(50 * rounds, "id").await;
    assert_each_once(&tally, (1..=50 * rounds).map(|n| format!("{NUMBER}{n}")));
}

#[tokio::test]
async fn an_event_of_a_server_says_what_the_lines_say() {
    let long = "x".repeat(300_000);
    // Where two bytes are left a character of four.
    let halved = format!("{}{}", "x".repeat(256 * 1024 - 2), "\u{1f600}".repeat(3));
    let wide = format!("\"{}\"", "\u{65e5}".repeat(256 * 1024 - 2));
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let lines = format!(
        "\u{feff}: a comment\ndata: plain\n\nid: 7\r\nevent: named\r\ndata:{{\"n\":\r\ndata: 1}}\r\n\r\n\
         event: without data\n\ndata: a\0b\rid: 8\r\runknown: field\nno colon\ndata\n\ndata: {long}\n\n\
         data: {halved}\n\ndata: {wide}\n\nid: a\u{1}b\ndata: {deep}\n\ndata: [1e999]\n\nid: end\ndata: \n\n"
    );
    let url = serve(move |mut connection, last| {
        // In pieces, as a network may deliver it.
        let text = if last == 0 { lines.as_str() } else { "" };
        let whole =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n{text}");
        for piece in whole.as_bytes().chunks(1007) {
            let _ = connection.write_all(piece);
        }
        thread::sleep(Duration::from_mins(10));
    });
    let streaming = Streaming::start("server_events", "server_event", &json!({"url": url})).await;
    streaming.fixture.eventually("SELECT FROM event WHERE payload->>'id' = 'end'").await;
    let rows = sqlx::query("SELECT payload FROM event ORDER BY id").fetch_all(streaming.fixture.pool()).await;
    let said = rows.unwrap().into_iter().map(|row| {
        let mut payload: Value = row.get(0);
        let parts = payload.as_object_mut().unwrap();
        assert_eq!(parts.remove("url"), Some(json!(url)));
        // By these it found its trigger and its rule.
        parts.remove("event_type").and(parts.remove("trigger_params")).unwrap();
        payload
    });
    let expected = [
        json!({"event": "message", "data": "plain"}),
        json!({"id": "7", "event": "named", "data": "{\"n\":\n1}", "json": {"n": 1}}),
        json!({"id": "8", "event": "message", "data": "a\u{fffd}b"}),
        json!({"id": "8", "event": "message", "data": ""}),
        json!({"id": "8", "event": "message", "data": "x".repeat(256 * 1024), "cut": true}),
        json!({"id": "8", "event": "message", "data": "x".repeat(256 * 1024 - 2), "cut": true}),
        json!({"id": "8", "event": "message", "data": format!("\"{}", "\u{65e5}".repeat(87_381)), "cut": true}),
        json!({"id": "8", "event": "message", "data": deep}),
        json!({"id": "8", "event": "message", "data": "[1e999]"}),
        json!({"id": "end", "event": "message", "data": ""}),
    ];
    let said: Vec<_> = said.collect();
    assert_eq!(said.len(), expected.len());
    for (said, expected) in said.iter().zip(&expected) {
        assert!(said == expected, "{said:.300}");
    }
}

#[tokio::test]
async fn a_server_that_errs_is_asked_again_without_an_end_of_the_sensor() {
    let asked = AtomicUsize::new(0);
    let url = serve(move |mut connection, _| {
        let answer = match asked.fetch_add(1, Ordering::Relaxed) {
            0 => format!("{HEAD}retry: 0\n\n"),
            1 => "HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n".to_owned(),
            2 => "this is not HTTP\r\n\r\n".to_owned(),
            _ => format!("{HEAD}data: at last\n\n"),
        };
        let _ = connection.write_all(answer.as_bytes());
    });
    let streaming = Streaming::start("server_events", "server_event", &json!({"url": url})).await;
    streaming.fixture.eventually("SELECT FROM event WHERE payload->>'data' = 'at last'").await;
    let errors = "SELECT FROM sensor_state JOIN sensor ON id = sensor
                  WHERE ref = 'streams.server_events' AND errors = 0";
    streaming.fixture.eventually(errors).await;
}
