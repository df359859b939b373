//! The files of `corpus/protocol`, one by one.

use std::fs;
use std::path::{Path, PathBuf};

use attune_core::output::{OutputError, PlainOutput, Rejected, parse_plain};
use attune_core::protocol::{Decoder, Host, Message, Poll, Rules, Stream, Turn};
use serde_json::Value;

const CHUNKS: [usize; 4] = [1, 7, 4096, usize::MAX];

#[test]
fn each_file_has_its_named_outcome() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/protocol");
    let mut lines = Vec::new();
    for class in entries(&root) {
        let cases = entries(&class);
        assert!(cases.len() >= 4, "{}", class.display());
        for case in cases {
            let bytes = fs::read(&case).unwrap();
            lines.push(case.strip_prefix(&root).unwrap().display().to_string());
            for (reader, outcome) in outcomes(&bytes) {
                assert!(!outcome.contains(|c: char| c.is_control()), "{outcome:?}");
                lines.push(format!("  {reader:<6}  {outcome}"));
            }
        }
    }
    let found = lines.join("\n");
    insta::assert_snapshot!(found);
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn outcomes(bytes: &[u8]) -> [(&'static str, String); 4] {
    let plain = match parse_plain(bytes) {
        Ok(PlainOutput { events, .. }) => events.iter().map(event).collect::<Vec<_>>().join(", "),
        Err(error) => error.to_string(),
    };
    [
        ("plain", plain),
        ("poll", decoded(bytes, Decoder::<Poll>::default)),
        ("stream", decoded(bytes, Decoder::<Stream>::default)),
        ("host", decoded(bytes, asked)),
    ]
}

/// A host that said hello and was asked to poll.
fn asked() -> Decoder<Host> {
    let mut host = Decoder::<Host>::default();
    host.push(b"{\"type\":\"hello\",\"protocol\":1}\n", &mut Vec::new()).unwrap();
    host.rules_mut().ask(1, Turn::Poll);
    host
}

/// However the bytes are cut, the same comes of them.
fn decoded<R: Rules>(bytes: &[u8], decoder: impl Fn() -> Decoder<R>) -> String {
    let [first, others @ ..] = CHUNKS.map(|size| decode(bytes, decoder(), size));
    for other in others {
        assert_eq!(other, first);
    }
    let (messages, end) = first;
    let said = messages.iter().map(|message| match message {
        Message::Event(payload) => event(payload),
        other => other.kind().to_owned(),
    });
    let end = end.map_or_else(|error| error.to_string(), |()| "ends well".to_owned());
    said.chain([end]).collect::<Vec<_>>().join(", ")
}

fn decode<R: Rules>(
    bytes: &[u8],
    mut decoder: Decoder<R>,
    size: usize,
) -> (Vec<Message>, Result<(), OutputError>) {
    let mut messages = Vec::new();
    for chunk in bytes.chunks(size) {
        if let Err(error) = decoder.push(chunk, &mut messages) {
            return (messages, Err(error));
        }
    }
    let end = decoder.finish(&mut messages);
    (messages, end)
}

fn event(payload: &Result<Value, Rejected>) -> String {
    match payload {
        Ok(payload) => format!("event {payload}").escape_debug().to_string().replace("\\\"", "\""),
        Err(rejected) => format!("set aside because {}", rejected.reason),
    }
}
