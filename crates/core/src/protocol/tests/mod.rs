//! Conversations as programs really have them, and worse.

mod conversations;
mod orders;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::output::{OutputError, Reason};

/// Everything that a poll's output decodes to when it comes in chunks of this size.
fn decode(stream: &[u8], chunk: usize) -> (Vec<Message>, Result<(), OutputError>) {
    decode_with(Decoder::<Poll>::default(), stream, chunk)
}

fn decode_with<R: Rules>(
    mut decoder: Decoder<R>,
    stream: &[u8],
    chunk: usize,
) -> (Vec<Message>, Result<(), OutputError>) {
    let mut messages = Vec::new();
    for part in stream.chunks(chunk) {
        if let Err(error) = decoder.push(part, &mut messages) {
            return (messages, Err(error));
        }
    }
    let end = decoder.finish(&mut messages);
    (messages, end)
}

fn error_of(stream: &[u8]) -> OutputError {
    decode(stream, 1000).1.unwrap_err()
}

fn reason_of(message: &Message) -> &Reason {
    let Message::Event(Err(rejected)) = message else { panic!("{message:?}") };
    &rejected.reason
}

const STREAM: &str = concat!(
    r#"{"type":"event","payload":{"n":1}}"#,
    "\n\r\n",
    r#"{"type": "log", "level": "info", "message": "größe"}"#,
    "\r\n",
    r#"  {"payload":{"n":2},"type":"event","later":true}"#,
    "\n",
    r#"{"type":"state","state":{"seen":2}}"#,
    "\n",
    r#"{"type":"done"}"#,
    "\n",
);

#[test]
fn the_messages_of_a_wrapper() {
    let (messages, end) = decode(STREAM.as_bytes(), 1000);
    assert_eq!(end, Ok(()));
    assert_eq!(
        messages,
        [
            Message::Event(Ok(json!({"n": 1}))),
            Message::Log { level: Some("info".into()), message: "größe".into() },
            Message::Event(Ok(json!({"n": 2}))),
            Message::State(Some(json!({"seen": 2}))),
            Message::Done { cpu: None },
        ]
    );
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let whole = decode(STREAM.as_bytes(), 1000);
    for chunk in 1..STREAM.len() {
        assert_eq!(decode(STREAM.as_bytes(), chunk), whole, "{chunk}");
    }
}

#[test]
fn a_wrapper_may_report_an_error_instead_of_done() {
    let (messages, end) = decode(br#"{"type":"error","message":"boom \ud800","traceback":"line 1"}"#, 10);
    assert_eq!(end, Ok(()));
    let message = r#""boom \ud800""#.to_owned();
    assert_eq!(messages, [Message::Error { message, traceback: Some("line 1".into()), cpu: None }]);
    assert_eq!(error_of(b"{\"type\":\"event\",\"payload\":{}}\n"), OutputError::NotDone);
    assert_eq!(error_of(b""), OutputError::NotDone);
    assert!(matches!(error_of(b"{\"type\":\"done\"}\n{\"type\":\"done\"}\n"), OutputError::AfterDone { .. }));
}

#[test]
fn an_event_line_that_can_not_be_stored_leaves_its_neighbours() {
    let lines: [&[u8]; 9] = [
        br#"{"type":"event","payload":{"x":NaN}}"#,
        br#"{"type": "event", "payload": {"x": "\u0000"}}"#,
        br#" { "type" : "event", "payload": {"x": "\udfff"}}"#,
        br#"{"type":"event","payload":{"x":1e999}}"#,
        br#"{"type":"event","payload":[1]}"#,
        b"{\"type\":\"event\",\"payload\":{\"x\":\"\xff\"}}",
        br#"{"type":"event"}"#,
        br#"{"type":"event","payload":{"a":"#,
        br#"{"type":"event","payload":{"good":1}}"#,
    ];
    let (messages, end) = decode(&[&lines.join(&b'\n')[..], b"\n{\"type\":\"done\"}"].concat(), 7);
    assert_eq!(end, Ok(()));
    assert!(matches!(reason_of(&messages[0]), Reason::NotJson(_)));
    assert_eq!(
        messages[1..7].iter().map(reason_of).collect::<Vec<_>>(),
        [
            &Reason::Nul,
            &Reason::LoneSurrogate,
            &Reason::OutOfRange,
            &Reason::NotAnObject("a list"),
            &Reason::NotUtf8(32),
            &Reason::NoPayload
        ]
    );
    assert!(matches!(reason_of(&messages[7]), Reason::NotJson(_)));
    assert_eq!(messages[8], Message::Event(Ok(json!({"good": 1}))));
    let Message::Event(Err(rejected)) = &messages[5] else { panic!() };
    assert_eq!(rejected.raw, lines[5]);
}

#[test]
fn a_line_that_is_no_message_is_an_error() {
    assert!(matches!(error_of(b"hello\n"), OutputError::NotJson { excerpt, .. } if excerpt == "hello"));
    assert!(matches!(error_of(b"[1]\n"), OutputError::NotAnObject { .. }));
    assert!(matches!(error_of(b"\xff\n"), OutputError::NotUtf8 { position: 0, .. }));
    assert!(matches!(error_of(b"{\"type\":\"other\"}\n"), OutputError::UnknownMessage { .. }));
    assert!(matches!(error_of(b"{\"payload\":{}}\n"), OutputError::UnknownMessage { .. }));
    assert!(matches!(error_of(b"{\"type\":\"state\",\"state\":1}\n"), OutputError::BadState { .. }));
    let (messages, end) = decode(b"{\"type\":\"event\",\"payload\":{}}\noops\n", 1000);
    assert_eq!((messages.len(), end.is_err()), (1, true));
}

#[test]
fn an_overlong_line_ends_the_run_unless_it_is_an_event() {
    let decoder = || Decoder::<Poll>::with_line_limit(40);
    let long = "x".repeat(100);
    let stream = format!("{{\"type\":\"event\",\"payload\":{{\"a\":\"{long}\"}}}}\n{{\"type\":\"done\"}}\n");
    for chunk in [1, 7, 1000] {
        let (messages, end) = decode_with(decoder(), stream.as_bytes(), chunk);
        assert_eq!(
            (reason_of(&messages[0]), &messages[1..], end),
            (&Reason::TooLarge(40), &[Message::Done { cpu: None }][..], Ok(()))
        );
        let state = format!("{{\"type\":\"state\",\"state\":{{\"a\":\"{long}\"}}}}\n");
        let (_, end) = decode_with(decoder(), state.as_bytes(), chunk);
        assert!(matches!(end, Err(OutputError::LineTooLong { limit: 40, .. })));
    }
}

#[test]
fn a_line_that_its_program_did_not_finish_is_no_event() {
    let cut = br#"{"type":"event","payload":{"a":"#;
    assert!(matches!(error_of(cut), OutputError::CutOff { excerpt } if excerpt.contains("payload")));
    let (messages, end) = decode_with(Decoder::<Stream>::default(), cut, 9);
    assert!(messages.is_empty() && matches!(end, Err(OutputError::CutOff { .. })));
    let whole = br#"{"type":"event","payload":{"a":1}}"#;
    let (messages, end) = decode_with(Decoder::<Stream>::default(), whole, 9);
    assert_eq!((messages, end), (vec![Message::Event(Ok(json!({"a": 1})))], Ok(())));
}

#[test]
fn the_short_way_gives_what_the_long_one_gives() {
    let long = |payload: &str| format!("{{\"payload\":{payload},\"type\":\"event\"}}\n");
    let short = |payload: &str| format!("{{\"type\":\"event\",\"payload\":{payload}}}\n");
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(crate::output::EVENT_LIMIT));
    let payloads =
        [r#"{"a":1,"a":2.50}"#, r#" {"a" : "\u0041"} "#, "[]", "7", r#"{"a":"\u0000"}"#, "{\"a\":1e999}"];
    for payload in payloads.map(str::to_owned).into_iter().chain([deep(100), deep(101), deep(130), large]) {
        assert_eq!(
            decode(short(&payload).as_bytes(), 50).0,
            decode(long(&payload).as_bytes(), 50).0,
            "{payload}"
        );
    }
    let twice = "{\"type\":\"event\",\"payload\":{\"a\":1},\"payload\":{\"a\":2}}\n";
    assert_eq!(decode(twice.as_bytes(), 50).0, [Message::Event(Ok(json!({"a": 2})))]);
}

proptest! {
    #[test]
    fn what_a_program_means_arrives(events in prop::collection::vec("[a-zé\"\\\\\n]{0,6}", 0..6), chunk in 1..50_usize) {
        let events: Vec<Value> = events.into_iter().map(|text| json!({"text": text})).collect();
        let lines = events.iter().map(|event| json!({"type": "event", "payload": event}).to_string() + "\n");
        let stream = lines.chain([r#"{"type":"done"}"#.to_owned()]).collect::<String>();
        let (messages, end) = decode(stream.as_bytes(), chunk);
        prop_assert_eq!(end, Ok(()));
        let events = events.into_iter().map(|event| Message::Event(Ok(event)));
        prop_assert_eq!(messages, events.chain([Message::Done { cpu: None }]).collect::<Vec<_>>());
    }

    #[test]
    fn bytes_of_any_kind_never_panic(bytes: Vec<u8>, chunk in 1..9_usize) {
        let _ = decode(&bytes, chunk);
        let line = [&b"{\"type\":\"event\",\"payload\":"[..], &bytes, b"\n"].concat();
        let _ = decode_with(Decoder::<Host>::with_line_limit(64), &line, chunk);
        let _ = decode_with(Decoder::<Stream>::with_line_limit(64), &line, chunk);
    }
}
