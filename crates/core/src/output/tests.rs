//! Outputs as programs really print them, and worse.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn plain(stdout: impl AsRef<[u8]>) -> Result<PlainOutput, OutputError> {
    parse_plain(stdout.as_ref())
}

fn plain_error(stdout: impl AsRef<[u8]>) -> String {
    plain(stdout).unwrap_err().to_string()
}

/// Everything that a stream decodes to when it comes in chunks of this size.
fn decode(stream: &[u8], chunk: usize) -> (Vec<Message>, Result<(), OutputError>) {
    decode_with(NdjsonDecoder::default(), stream, chunk)
}

fn decode_with(
    mut decoder: NdjsonDecoder,
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

#[test]
fn a_plain_output() {
    let output =
        plain(r#" {"events": [{"event_type": "down"}, {}], "count": 1, "state": {"n": 1}} "#).unwrap();
    assert_eq!(output.events, [Ok(json!({"event_type": "down"})), Ok(json!({}))]);
    assert_eq!(output.state, Some(json!({"n": 1})));
    assert_eq!(plain(r#"{"events":[],"state":null}"#).unwrap(), PlainOutput { events: vec![], state: None });
    assert_eq!(plain("{\"events\":[]}\r\n").unwrap().state, None);
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    assert_eq!(plain(r#"{"events":1,"events":[{"a":1,"a":2}]}"#).unwrap().events, [Ok(json!({"a": 2}))]);
}

#[test]
fn an_output_that_is_no_json_is_quoted() {
    assert_eq!(
        plain("Checking nginx...\nok").unwrap_err().to_string(),
        r"the output is not JSON (expected value at line 1 column 1): Checking nginx...\nok"
    );
    assert!(plain_error("\u{feff}{\"events\":[]}").contains("byte order mark"));
    assert!(plain_error(r#"{"events": [{"x": NaN}]}"#).contains("NaN"));
    assert!(plain_error(r#"{"events": ["#).contains("EOF"));
    let far = format!("{{\"events\": [\n{}\noops]}}", "{},\n".repeat(500));
    assert!(plain_error(far).contains("oops"));
}

#[test]
fn an_output_that_is_no_text_is_quoted() {
    let error = plain(b"caf\xe9 {\"events\":[]}").unwrap_err();
    assert_eq!(error.to_string(), r#"the output is not UTF-8 at byte 3: caf\xe9 {\"events\":[]}"#);
    let error = plain([&b"x".repeat(5000)[..], b"\xff\xfe"].concat()).unwrap_err();
    assert!(error.to_string().contains(r"x\xff\xfe"), "{error}");
}

#[test]
fn every_other_wrong_output_has_a_name() {
    assert_eq!(plain(" \n"), Err(OutputError::Empty));
    assert!(matches!(plain("[1]"), Err(OutputError::NotAnObject { .. })));
    assert!(matches!(plain("null"), Err(OutputError::NotAnObject { .. })));
    assert!(matches!(plain(r#""text""#), Err(OutputError::NotAnObject { .. })));
    assert!(matches!(plain(r#"{"event": []}"#), Err(OutputError::NoEvents { .. })));
    assert!(matches!(plain(r#"{"events": {}}"#), Err(OutputError::EventsNotAnArray { .. })));
    assert!(matches!(plain(r#"{"events": null}"#), Err(OutputError::EventsNotAnArray { .. })));
    assert!(matches!(plain(r#"{"events": [], "state": [1]}"#), Err(OutputError::BadState { .. })));
    assert!(matches!(
        plain(r#"{"events": [], "state": {"a": "\u0000"}}"#),
        Err(OutputError::BadState { .. })
    ));
    for output in ["{\"events\":[]}\n{\"events\":[]}", "{\"events\":[]} done", "{\"events\":[]}}"] {
        assert!(matches!(plain(output), Err(OutputError::Trailing { .. })), "{output}");
    }
}

#[test]
fn an_event_that_can_not_be_stored_leaves_its_neighbours() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(300), "]".repeat(300));
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(EVENT_LIMIT));
    let stdout = format!(
        r#"{{"events": [{{"n":1}}, {{"s":"\u0000"}}, {{"s":"\ud800"}}, {{"n":1e999}}, 5, "x", {deep}, {large}, {{"n":2}}]}}"#
    );
    let events = plain(stdout).unwrap().events;
    assert_eq!((&events[0], &events[8]), (&Ok(json!({"n": 1})), &Ok(json!({"n": 2}))));
    let reasons: Vec<_> =
        events.iter().filter_map(|event| Some(event.as_ref().err()?.reason.clone())).collect();
    assert_eq!(
        reasons,
        [
            Reason::Nul,
            Reason::LoneSurrogate,
            Reason::OutOfRange,
            Reason::NotAnObject("a number"),
            Reason::NotAnObject("a string"),
            Reason::TooDeep,
            Reason::TooLarge(EVENT_LIMIT)
        ]
    );
    assert_eq!(events[2].as_ref().unwrap_err().raw, br#"{"s":"\ud800"}"#);
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
            Message::Done,
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
    assert_eq!(messages, [Message::Error { message, traceback: Some("line 1".into()) }]);
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
    assert!(matches!(error_of(b"[1]\n"), OutputError::NotJson { .. }));
    assert!(matches!(error_of(b"\xff\n"), OutputError::NotUtf8 { position: 0, .. }));
    assert!(matches!(error_of(b"{\"type\":\"other\"}\n"), OutputError::UnknownMessage { .. }));
    assert!(matches!(error_of(b"{\"payload\":{}}\n"), OutputError::UnknownMessage { .. }));
    assert!(matches!(error_of(b"{\"type\":\"state\",\"state\":1}\n"), OutputError::BadState { .. }));
    let (messages, end) = decode(b"{\"type\":\"event\",\"payload\":{}}\noops\n", 1000);
    assert_eq!((messages.len(), end.is_err()), (1, true));
}

#[test]
fn an_overlong_line_ends_the_run_unless_it_is_an_event() {
    let decoder = || NdjsonDecoder::with_line_limit(40);
    let long = "x".repeat(100);
    let stream = format!("{{\"type\":\"event\",\"payload\":{{\"a\":\"{long}\"}}}}\n{{\"type\":\"done\"}}\n");
    for chunk in [1, 7, 1000] {
        let (messages, end) = decode_with(decoder(), stream.as_bytes(), chunk);
        assert_eq!(
            (reason_of(&messages[0]), &messages[1..], end),
            (&Reason::TooLarge(40), &[Message::Done][..], Ok(()))
        );
        let state = format!("{{\"type\":\"state\",\"state\":{{\"a\":\"{long}\"}}}}\n");
        let (_, end) = decode_with(decoder(), state.as_bytes(), chunk);
        assert!(matches!(end, Err(OutputError::LineTooLong { limit: 40, .. })));
    }
}

proptest! {
    #[test]
    fn what_a_program_means_arrives(events in prop::collection::vec("[a-zé\"\\\\\n]{0,6}", 0..6), chunk in 1..50_usize) {
        let events: Vec<Value> = events.into_iter().map(|text| json!({"text": text})).collect();
        let expected: Vec<_> = events.iter().cloned().map(Ok).collect();
        prop_assert_eq!(plain(json!({"events": events}).to_string()).unwrap().events, expected.clone());

        let lines = events.iter().map(|event| json!({"type": "event", "payload": event}).to_string() + "\n");
        let stream = lines.chain([r#"{"type":"done"}"#.to_owned()]).collect::<String>();
        let (messages, end) = decode(stream.as_bytes(), chunk);
        prop_assert_eq!(end, Ok(()));
        let wanted = expected.into_iter().map(Message::Event).chain([Message::Done]).collect::<Vec<_>>();
        prop_assert_eq!(messages, wanted);
    }

    #[test]
    fn bytes_of_any_kind_never_panic(bytes: Vec<u8>, chunk in 1..9_usize) {
        let _ = plain(&bytes);
        let _ = decode(&bytes, chunk);
        let line = [&b"{\"type\":\"event\",\"payload\":"[..], &bytes, b"\n"].concat();
        let _ = decode_with(NdjsonDecoder::with_line_limit(64), &line, chunk);
    }
}
