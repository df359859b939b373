//! What may be said when, for each kind of conversation.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::super::*;
use crate::output::OutputError;

const HELLO: &str = r#"{"type":"hello","protocol":1}"#;
const CAREFUL: &str = r#"{"type":"hello","protocol":1,"checkpoints":true}"#;
const EVENT: &str = r#"{"type":"event","payload":{}}"#;
const STATE: &str = r#"{"type":"state","state":{"n":1}}"#;
const CHECKPOINT: &str = r#"{"type":"checkpoint","id":7,"state":{"n":1}}"#;
const HEARTBEAT: &str = r#"{"type":"heartbeat"}"#;
const CONTACT: &str = r#"{"type":"contact"}"#;
const LOG: &str = r#"{"type":"log","level":"info","message":"m"}"#;
const RESULT: &str = r#"{"type":"result","result":[1, 2]}"#;
const UNFIT: &str = r#"{"type":"unfit","id":5,"reason":"no poll_sensor"}"#;
const ERROR: &str = r#"{"type":"error","id":5,"message":"boom"}"#;
const DONE: &str = r#"{"type":"done","id":5}"#;

/// Says the lines and gives the last message, or the first error.
fn say<R: Rules>(decoder: &mut Decoder<R>, lines: &[&str]) -> Result<Message, OutputError> {
    let mut messages = Vec::new();
    for line in lines {
        decoder.push(line.as_bytes(), &mut messages)?;
        decoder.push(b"\n", &mut messages)?;
    }
    Ok(messages.pop().expect("each line is a message"))
}

fn stream(lines: &[&str]) -> Result<Message, OutputError> {
    say(&mut Decoder::<Stream>::default(), lines)
}

/// A host that said hello and got request 5.
fn asked(turn: Turn) -> Decoder<Host> {
    let mut decoder = Decoder::<Host>::default();
    say(&mut decoder, &[HELLO]).unwrap();
    assert!(decoder.rules().is_idle());
    decoder.rules_mut().ask(5, turn);
    decoder
}

#[test]
fn a_poll_has_messages_of_its_own() {
    for line in [HELLO, CHECKPOINT, HEARTBEAT, RESULT, UNFIT] {
        let error = say(&mut Decoder::<Poll>::default(), &[EVENT, line]).unwrap_err();
        assert!(matches!(error, OutputError::Misplaced { place: "a poll", .. }), "{error}");
    }
    assert_eq!(
        say(&mut Decoder::<Poll>::default(), &[EVENT, STATE, CONTACT, LOG, DONE]),
        Ok(Message::Done { cpu: None })
    );
    let after = say(&mut Decoder::<Poll>::default(), &[DONE, "no JSON at all"]).unwrap_err();
    assert_eq!(after.to_string(), "after `done` the output goes on: no JSON at all");
}

#[test]
fn a_host_answers_what_it_is_asked() {
    let mut host = asked(Turn::Poll);
    assert_eq!(say(&mut host, &[EVENT, STATE, CONTACT, LOG, DONE]), Ok(Message::Done { cpu: None }));
    assert!(host.rules().is_idle());
    host.rules_mut().ask(6, Turn::Run);
    let result = say(&mut host, &[LOG, RESULT]).unwrap();
    assert_eq!(result, Message::Result("[1, 2]".to_owned()));
    assert_eq!(say(&mut host, &[r#"{"type":"done"}"#]), Ok(Message::Done { cpu: None }));
    host.rules_mut().ask(5, Turn::Poll);
    assert_eq!(say(&mut host, &[UNFIT]), Ok(Message::Unfit { reason: "no poll_sensor".to_owned() }));
    host.rules_mut().ask(5, Turn::Run);
    let error = Message::Error { message: "boom".to_owned(), traceback: None, cpu: None };
    assert_eq!(say(&mut host, &[ERROR]), Ok(error));
    assert_eq!(host.finish(&mut Vec::new()), Ok(()));
}

#[test]
fn a_host_says_hello_first_and_once() {
    for line in [EVENT, DONE, ERROR, LOG, HEARTBEAT] {
        let error = say(&mut Decoder::<Host>::default(), &[line]).unwrap_err();
        assert!(matches!(error, OutputError::NoHello { .. }), "{error}");
    }
    assert!(matches!(say(&mut asked(Turn::Poll), &[HELLO]), Err(OutputError::LateHello { .. })));
    let error = say(&mut Decoder::<Host>::default(), &[HELLO, "oops"]).unwrap_err();
    assert_eq!(error, OutputError::Unasked { excerpt: "oops".to_owned() });
}

#[test]
fn a_host_keeps_to_its_turn() {
    for (turn, line) in [
        (Turn::Poll, RESULT),
        (Turn::Poll, CHECKPOINT),
        (Turn::Poll, HEARTBEAT),
        (Turn::Run, EVENT),
        (Turn::Run, STATE),
        (Turn::Run, CHECKPOINT),
    ] {
        let error = say(&mut asked(turn), &[line]).unwrap_err();
        assert!(matches!(error, OutputError::Misplaced { .. }), "{error}");
    }
    for line in [r#"{"type":"done","id":4}"#, r#"{"type":"error","id":"5"}"#, r#"{"type":"unfit","id":[]}"#] {
        let error = say(&mut asked(Turn::Poll), &[line]).unwrap_err();
        assert!(matches!(error, OutputError::WrongId { asked: 5, .. }), "{error}");
    }
    for line in [DONE, EVENT, "\u{1b}[31mred"] {
        let error = say(&mut asked(Turn::Poll), &[DONE, line]).unwrap_err();
        assert!(matches!(error, OutputError::Unasked { .. }), "{error}");
    }
    assert_eq!(asked(Turn::Poll).finish(&mut Vec::new()), Err(OutputError::NotDone));
}

#[test]
fn a_host_that_announces_ids_has_the_right_one_in_each_message() {
    let with_ids = || {
        let mut host = Decoder::<Host>::default();
        let said = say(&mut host, &[r#"{"type":"hello","protocol":1,"ids":true}"#]);
        assert_eq!(said, Ok(Message::Hello { checkpoints: false, ids: true }));
        host.rules_mut().ask(5, Turn::Poll);
        host
    };
    for line in [
        r#"{"type":"event"ID,"payload":{}}"#,
        r#"{ "type" : "event" ID , "payload" : {} }"#,
        r#"{"type":"event"ID,"payload":{"not stored":"\u0000"}}"#,
        r#"{"type":"event"ID,"payload":{"no JSON":NaN}}"#,
        r#"{"type":"event","payload":{}ID}"#,
        r#"{"type":"state"ID,"state":{}}"#,
        r#"{"type":"contact"ID}"#,
        r#"{"type":"log"ID,"message":"m"}"#,
        r#"{"type":"error"ID,"message":"boom"}"#,
        r#"{"type":"unfit"ID,"reason":"so"}"#,
        r#"{"type":"done"ID}"#,
    ] {
        let say = |id: &str| say(&mut with_ids(), &[&line.replace("ID", id)]);
        say(r#","id":5"#).unwrap();
        for other in [r#","id":4"#, r#","id":50"#, r#", "id" : "5""#, r#","id":5.0"#] {
            let error = say(other).unwrap_err();
            let is_named = matches!(error, OutputError::WrongId { asked: 5, .. } | OutputError::NoId { .. });
            assert!(is_named, "{line} {other}: {error}");
        }
        // What is set aside is the author's, with nothing of its turn.
        if let Message::Event(Err(rejected)) = say(r#","id":5"#).unwrap() {
            assert!(!String::from_utf8(rejected.raw).unwrap().contains("\"id\""), "{line}");
        }
        for none in ["", r#","id":null"#] {
            let error = say(none).unwrap_err();
            assert!(matches!(error, OutputError::NoId { asked: 5, .. }), "{line}: {error}");
        }
    }
}

#[test]
fn a_stream_may_say_hello() {
    assert_eq!(stream(&[HELLO]), Ok(Message::Hello { checkpoints: false, ids: false }));
    assert_eq!(stream(&[CAREFUL]), Ok(Message::Hello { checkpoints: true, ids: false }));
    assert_eq!(stream(&[HEARTBEAT, LOG, EVENT, HEARTBEAT]), Ok(Message::Heartbeat));
    assert_eq!(stream(&[CONTACT, CONTACT]), Ok(Message::Contact));
    for lines in [[EVENT, HELLO], [HELLO, HELLO], [LOG, CAREFUL]] {
        assert!(matches!(stream(&lines), Err(OutputError::LateHello { .. })), "{lines:?}");
    }
    for version in ["2", "0", "\"1\"", "1.0", "null", "[1]", "18446744073709551616"] {
        let error = stream(&[&format!(r#"{{"type":"hello","protocol":{version}}}"#)]).unwrap_err();
        assert!(matches!(error, OutputError::UnknownVersion { .. }), "{error}");
    }
    assert!(matches!(stream(&[r#"{"type":"hello"}"#]), Err(OutputError::UnknownVersion { .. })));
}

#[test]
fn a_checkpoint_is_announced_and_named() {
    let Ok(Message::Checkpoint { id: Some(id), state }) = stream(&[CAREFUL, CHECKPOINT]) else { panic!() };
    assert_eq!(state, Some(json!({"n": 1})));
    assert_eq!(Order::Ack { checkpoint: &id }.line(), b"{\"type\":\"ack\",\"checkpoint\":7}\n");
    for nameless in [r#"{"type":"checkpoint"}"#, r#"{"type":"checkpoint","id":null,"state":null}"#] {
        assert_eq!(stream(&[CAREFUL, nameless]), Ok(Message::Checkpoint { id: None, state: None }));
    }
    assert!(matches!(stream(&[HELLO, CHECKPOINT]), Err(OutputError::Unannounced { .. })));
    assert!(matches!(stream(&[CHECKPOINT]), Err(OutputError::Unannounced { .. })));
    let long = format!(r#"{{"type":"checkpoint","id":"{}"}}"#, "x".repeat(CHECKPOINT_ID_LIMIT));
    assert!(matches!(stream(&[CAREFUL, &long]), Err(OutputError::CheckpointIdTooLong { .. })));
    let list = r#"{"type":"checkpoint","state":[]}"#;
    assert!(matches!(stream(&[CAREFUL, list]), Err(OutputError::BadState { .. })));
}

#[test]
fn events_do_not_wait_for_ever_for_a_checkpoint() {
    let most = vec![EVENT; STREAM_EVENTS];
    let mut decoder = Decoder::<Stream>::default();
    say(&mut decoder, &[CAREFUL]).unwrap();
    for _ in 0..2 {
        say(&mut decoder, &most).unwrap();
        say(&mut decoder, &[CHECKPOINT]).unwrap();
    }
    say(&mut decoder, &most).unwrap();
    assert_eq!(say(&mut decoder, &[EVENT]), Err(OutputError::NoCheckpoint));
    assert!(stream(&vec![EVENT; STREAM_EVENTS + 1]).is_ok());

    let large = format!(r#"{{"type":"event","payload":{{"a":"{}"}}}}"#, "x".repeat(STREAM_BYTES / 20));
    assert_eq!(stream(&[&[CAREFUL][..], &[&*large; 20]].concat()), Err(OutputError::NoCheckpoint));
    assert!(stream(&[&[CAREFUL][..], &[&*large; 19]].concat()).is_ok());
}

#[test]
fn a_poll_has_so_many_events_and_the_next_one_again() {
    let most = vec![EVENT; POLL_EVENTS];
    let mut poll = Decoder::<Poll>::default();
    say(&mut poll, &most).unwrap();
    assert_eq!(say(&mut poll, &[EVENT]), Err(OutputError::TooManyEvents));
    let mut host = asked(Turn::Poll);
    say(&mut host, &most).unwrap();
    say(&mut host, &[DONE]).unwrap();
    host.rules_mut().ask(2, Turn::Poll);
    say(&mut host, &most).unwrap();
    assert_eq!(say(&mut host, &[EVENT]), Err(OutputError::TooManyEvents));
}

#[test]
fn a_stream_has_messages_of_its_own() {
    for line in [STATE, RESULT, UNFIT, DONE] {
        let error = stream(&[line]).unwrap_err();
        assert!(matches!(error, OutputError::Misplaced { place: "a stream", .. }), "{error}");
    }
    assert!(matches!(stream(&[ERROR, "Traceback:"]), Err(OutputError::AfterError { .. })));
    assert!(stream(&[EVENT, ERROR]).is_ok());
}

/// Lines of every kind.
fn lines() -> impl Strategy<Value = Vec<&'static str>> {
    let kinds = select(vec![
        HELLO, CAREFUL, EVENT, STATE, CHECKPOINT, HEARTBEAT, LOG, RESULT, UNFIT, ERROR, DONE, "", "oops",
    ]);
    prop::collection::vec(kinds, 0..12)
}

proptest! {
    #[test]
    fn whatever_is_said_no_turn_has_two_ends(lines in lines()) {
        let mut host = asked(Turn::Poll);
        let mut messages = Vec::new();
        for line in &lines {
            if host.push(format!("{line}\n").as_bytes(), &mut messages).is_err() {
                break;
            }
        }
        let ends = |message: &Message| matches!(message, Message::Done { .. } | Message::Error { .. } | Message::Unfit { .. });
        let count = messages.iter().filter(|message| ends(message)).count();
        prop_assert!(count <= 1 && (count == 0 || ends(&messages[messages.len() - 1])));
    }

    #[test]
    fn a_stream_that_is_understood_keeps_the_rules(lines in lines()) {
        let mut decoder = Decoder::<Stream>::default();
        let mut messages = Vec::new();
        for line in &lines {
            if decoder.push(format!("{line}\n").as_bytes(), &mut messages).is_err() {
                break;
            }
        }
        let hello = |message: &Message| matches!(message, Message::Hello { .. });
        prop_assert!(!messages.iter().skip(1).any(hello));
        let checkpoints = messages.iter().any(|message| matches!(message, Message::Checkpoint { .. }));
        if checkpoints {
            prop_assert_eq!(&messages[0], &Message::Hello { checkpoints: true, ids: false });
        }
    }
}

/// A host is believed when it says a time, and nothing else of it is worth a conversation.
#[test]
fn what_is_no_processor_time_says_nothing() {
    for (said, expected) in [
        ("1.5", Some(Duration::from_micros(1500))),
        ("0", Some(Duration::ZERO)),
        ("-0.0", Some(Duration::ZERO)),
        ("-1", None),
        ("1e300", None),
        ("1e999", None),
        ("\"NaN\"", None),
        ("null", None),
        ("[1]", None),
        ("{\"ms\": 1}", None),
    ] {
        let done = format!(r#"{{"type":"done","id":5,"cpu_ms":{said}}}"#);
        assert_eq!(say(&mut asked(Turn::Poll), &[&done]), Ok(Message::Done { cpu: expected }), "{said}");
        let error = format!(r#"{{"type":"error","id":5,"message":"boom","cpu_ms":{said}}}"#);
        let expected = Message::Error { message: "boom".to_owned(), traceback: None, cpu: expected };
        assert_eq!(say(&mut asked(Turn::Run), &[&error]), Ok(expected), "{said}");
    }
    // That is no JSON, and as everywhere no message.
    let broken = say(&mut asked(Turn::Poll), &[r#"{"type":"done","id":5,"cpu_ms":NaN}"#]);
    assert!(matches!(broken, Err(OutputError::NotJson { .. })), "{broken:?}");
}
