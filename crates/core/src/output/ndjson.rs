//! The messages of a wrapper, one JSON object per line:
//!
//! ```text
//! {"type":"event","payload":{...}}      {"type":"log","level":"info","message":"..."}
//! {"type":"state","state":{...}}        {"type":"error","message":"...","traceback":"..."}
//! {"type":"done"}
//! ```
//!
//! The wrapper is ours and keeps everything else off this stream, so a line that is no message is an error. Only the
//! payload of an event is its author's: whatever is wrong with that sets the event aside and no other. A line so broken
//! that it can not be parsed counts as an event when it begins like one, which is why `type` comes first.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::error::OutputError;
use super::event::{self, Rejected};
use super::storable::Reason;
use super::{plain, quote};

/// Bytes of one line.
pub const LINE_LIMIT: usize = 10 * 1024 * 1024;
/// Bytes that are kept of an event whose line is longer than that.
const KEPT: usize = 64 * 1024;

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// An event, or what can not be one.
    Event(Result<Value, Rejected>),
    /// The state to keep, replacing the one before; `None` keeps that.
    State(Option<Value>),
    /// The poll is over and went well.
    Done,
    /// The sensor's code failed.
    Error {
        /// What it says.
        message: String,
        /// Where it happened, as its language shows it.
        traceback: Option<String>,
    },
    /// A line for the sensor's log.
    Log {
        /// How bad it is, in the wrapper's words.
        level: Option<String>,
        /// What it says.
        message: String,
    },
}

/// Turns chunks of a stream, cut anywhere, into messages. After an error the stream has no meaning any more.
#[derive(Debug)]
pub struct NdjsonDecoder {
    line: Vec<u8>,
    limit: usize,
    /// The line is longer than the limit; the rest of it is skipped.
    overlong: bool,
    done: bool,
    failed: bool,
}

impl Default for NdjsonDecoder {
    fn default() -> Self {
        Self::with_line_limit(LINE_LIMIT)
    }
}

impl NdjsonDecoder {
    /// A decoder that takes lines of up to `limit` bytes.
    pub fn with_line_limit(limit: usize) -> Self {
        Self { line: Vec::new(), limit, overlong: false, done: false, failed: false }
    }

    /// Takes the next bytes and appends the messages that they complete.
    pub fn push(&mut self, chunk: &[u8], messages: &mut Vec<Message>) -> Result<(), OutputError> {
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.extend(&rest[..end]);
            messages.extend(self.end_of_line()?);
            rest = &rest[end + 1..];
        }
        self.extend(rest);
        // A line that is no event is hopeless as soon as it is too long.
        if self.overlong { self.overlong_event().map(drop) } else { Ok(()) }
    }

    /// The stream has ended: the last line may lack its newline, but not `done` (or an error in its place).
    pub fn finish(mut self, messages: &mut Vec<Message>) -> Result<(), OutputError> {
        messages.extend(self.end_of_line()?);
        if self.done || self.failed { Ok(()) } else { Err(OutputError::NotDone) }
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.line.len());
        self.overlong |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_of_line(&mut self) -> Result<Option<Message>, OutputError> {
        let message = if self.overlong { self.overlong_event().map(Some) } else { self.message() };
        self.line.clear();
        self.overlong = false;
        let message = message?;
        self.done |= message == Some(Message::Done);
        self.failed |= matches!(message, Some(Message::Error { .. }));
        Ok(message)
    }

    fn message(&self) -> Result<Option<Message>, OutputError> {
        let line = self.line.trim_ascii();
        if line.is_empty() {
            return Ok(None);
        }
        if self.done {
            return Err(OutputError::AfterDone { excerpt: quote::start(line) });
        }
        let reason = match str::from_utf8(line) {
            Ok(text) => match serde_json::from_str::<Parts>(text) {
                Ok(parts) => return of_parts(&parts, line).map(Some),
                Err(error) => Reason::of_parse_error(&error),
            },
            Err(error) => Reason::NotUtf8(error.valid_up_to()),
        };
        if begins_like_an_event(line) { Ok(Some(rejected(line, reason))) } else { Err(broken(line, &reason)) }
    }

    fn overlong_event(&self) -> Result<Message, OutputError> {
        if self.done || !begins_like_an_event(&self.line) {
            return Err(OutputError::LineTooLong { limit: self.limit, excerpt: quote::start(&self.line) });
        }
        Ok(rejected(&self.line[..self.line.len().min(KEPT)], Reason::TooLarge(self.limit)))
    }
}

type Parts<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn of_parts(parts: &Parts, line: &[u8]) -> Result<Message, OutputError> {
    let part = |name: &str| parts.get(name).copied();
    match part("type").and_then(text).as_deref() {
        Some("event") => Ok(match part("payload") {
            Some(payload) => Message::Event(event::read(payload.get())),
            None => rejected(line, Reason::NoPayload),
        }),
        Some("state") => part("state").map_or(Ok(None), plain::state).map(Message::State),
        Some("done") => Ok(Message::Done),
        Some("error") => Ok(Message::Error {
            message: part("message").and_then(text).unwrap_or_default(),
            traceback: part("traceback").and_then(text),
        }),
        Some("log") => Ok(Message::Log {
            level: part("level").and_then(text),
            message: part("message").and_then(text).unwrap_or_default(),
        }),
        _ => Err(OutputError::UnknownMessage { excerpt: quote::start(line) }),
    }
}

/// A text for people: what is no string (or holds half a character) is shown as it stands, rather than lost.
fn text(raw: &RawValue) -> Option<String> {
    match raw.get() {
        "null" => None,
        raw => Some(serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())),
    }
}

/// Whether a line starts with `{"type":"event"`, white space aside.
fn begins_like_an_event(line: &[u8]) -> bool {
    let mut rest = line;
    [&b"{"[..], b"\"type\"", b":", b"\"event\""].iter().all(|token| {
        let found = rest.trim_ascii_start().strip_prefix(*token);
        rest = found.unwrap_or_default();
        found.is_some()
    })
}

fn rejected(raw: &[u8], reason: Reason) -> Message {
    Message::Event(Err(Rejected { raw: raw.to_vec(), reason }))
}

fn broken(line: &[u8], reason: &Reason) -> OutputError {
    match *reason {
        Reason::NotUtf8(position) => {
            OutputError::NotUtf8 { position, excerpt: quote::around(line, position) }
        }
        _ => OutputError::NotJson { reason: reason.to_string(), excerpt: quote::start(line) },
    }
}
