//! Outputs as programs really print them, and worse.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::protocol::POLL_EVENTS;

fn plain(stdout: impl AsRef<[u8]>) -> Result<PlainOutput, OutputError> {
    parse_plain(stdout.as_ref())
}

fn plain_error(stdout: impl AsRef<[u8]>) -> String {
    plain(stdout).unwrap_err().to_string()
}

#[test]
fn a_plain_output() {
    let output =
        plain(r#" {"events": [{"event_type": "down"}, {}], "count": 1, "state": {"n": 1}} "#).unwrap();
    assert_eq!(output.events, [Ok(json!({"event_type": "down"})), Ok(json!({}))]);
    assert_eq!(output.state, Some(json!({"n": 1})));
    assert_eq!(
        plain(r#"{"events":[],"state":null}"#).unwrap(),
        PlainOutput { events: vec![], state: None, contact: false }
    );
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
    let events = |count| format!(r#"{{"events": [{}{{}}]}}"#, "{},".repeat(count - 1));
    assert!(plain(events(POLL_EVENTS)).is_ok());
    assert_eq!(plain(events(POLL_EVENTS + 1)), Err(OutputError::TooManyEvents));
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

proptest! {
    #[test]
    fn what_a_program_means_arrives(events in prop::collection::vec("[a-zé\"\\\\\n]{0,6}", 0..6)) {
        let events: Vec<Value> = events.into_iter().map(|text| json!({"text": text})).collect();
        let expected: Vec<_> = events.iter().cloned().map(Ok).collect();
        prop_assert_eq!(plain(json!({"events": events}).to_string()).unwrap().events, expected);
    }

    #[test]
    fn bytes_of_any_kind_never_panic(bytes: Vec<u8>) {
        let _ = plain(&bytes);
    }
}
