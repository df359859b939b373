//! Output without end, made while it is read. What a reader keeps of it is bounded.

use attune_core::output::{OutputError, Reason};
use attune_core::protocol::{Decoder, Message, Poll, Rules, Stream};

const MIB: usize = 1024 * 1024;
/// A gigabyte, in chunks as a pipe gives them.
const CHUNKS: usize = 16 * 1024;
static CHUNK: [u8; 64 * 1024] = [b'x'; 64 * 1024];
/// A line and its copy, twice over.
const MOST: usize = 48 * MIB;

/// The most memory that this process had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Pushes a beginning and a gigabyte; what comes of it, and of an end of the line.
fn flood<R: Rules>(mut decoder: Decoder<R>, beginning: &[u8]) -> Result<Vec<Message>, OutputError> {
    let (before, mut messages) = (peak(), Vec::new());
    decoder.push(beginning, &mut messages)?;
    for _ in 0..CHUNKS {
        decoder.push(&CHUNK, &mut messages)?;
    }
    decoder.push(b"\n", &mut messages)?;
    assert!(peak() - before < MOST, "{} bytes", peak() - before);
    Ok(messages)
}

#[test]
fn an_event_of_a_gigabyte_is_set_aside_with_its_beginning() {
    let messages = flood(Decoder::<Stream>::default(), b"{\"type\":\"event\",\"payload\":{\"a\":\"").unwrap();
    let [Message::Event(Err(rejected))] = &messages[..] else { panic!("{messages:?}") };
    assert!(matches!(rejected.reason, Reason::TooLarge(_)) && rejected.raw.len() <= 64 * 1024);
}

#[test]
fn any_other_line_of_a_gigabyte_is_an_error_as_soon_as_it_is_too_long() {
    for beginning in
        [&b""[..], b"{\"type\":\"state\",\"state\":{\"a\":\"", b"{\"type\":\"log\",\"message\":\"", b"   "]
    {
        let before = peak();
        let error = flood(Decoder::<Poll>::default(), beginning).unwrap_err();
        assert!(matches!(error, OutputError::LineTooLong { .. }), "{error}");
        assert!(peak() - before < MOST);
    }
}

#[test]
fn a_million_events_pass_one_by_one() {
    let (before, mut decoder) = (peak(), Decoder::<Stream>::default());
    let chunk = b"{\"type\":\"event\",\"payload\":{\"n\":1}}\n".repeat(1000);
    let mut events = 0;
    for _ in 0..1000 {
        let mut messages = Vec::new();
        decoder.push(&chunk, &mut messages).unwrap();
        events += messages.iter().filter(|message| matches!(message, Message::Event(Ok(_)))).count();
    }
    assert_eq!(events, 1_000_000);
    assert!(peak() - before < MOST);
}
