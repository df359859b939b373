//! One line, and the message that it is.
//!
//! Events are what most lines are, so a line that is nothing but an event is parsed once, straight into the payload. In
//! every other line the values stay text until it is known to matter, so that the bytes of a payload are at hand when it
//! is set aside. A line so broken that it can not be parsed counts as an event when it begins like one, which is why
//! `type` comes first.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::VERSION;
use super::message::{CHECKPOINT_ID_LIMIT, CheckpointId, Message};
use crate::output::{EVENT_LIMIT, OutputError, Reason, Rejected, quote, read_event, read_state, storable};

/// Bytes that are kept of an event whose line is too long.
const KEPT: usize = 64 * 1024;

/// A line of a program, without the white space around it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    bytes: &'a [u8],
    /// The limit that the line exceeds; the bytes are its start.
    exceeds: Option<usize>,
    /// Whether its newline came.
    whole: bool,
}

/// A message, and the id of the request that it answers, as JSON.
type Said<'a> = (Message, Option<&'a str>);
type Parts<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl<'a> Line<'a> {
    pub(super) fn new(bytes: &'a [u8], exceeds: Option<usize>, whole: bool) -> Self {
        Self { bytes: bytes.trim_ascii(), exceeds, whole }
    }

    /// How it starts, for a message to people.
    pub fn excerpt(&self) -> String {
        quote::start(self.bytes)
    }

    /// How long it is, as far as it was read.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.exceeds.is_none()
    }

    /// The message that it is, and the id of the request that this answers.
    pub(super) fn read(&self) -> Result<Said<'a>, OutputError> {
        if let Some((payload, id)) = self.nothing_but_an_event() {
            return Ok((Message::Event(Ok(payload)), id));
        }
        if let Some((Some(id), rest)) = beginning_of_an_event(self.bytes) {
            // Whatever is wrong with an event, its id is none of it.
            let bytes = [br#"{"type":"event""#, rest].concat();
            let (event, _) = Line { bytes: &bytes, ..*self }.read_by_parts()?;
            return Ok((event, Some(id)));
        }
        self.read_by_parts()
    }

    fn read_by_parts(&self) -> Result<Said<'a>, OutputError> {
        if let Some(limit) = self.exceeds {
            return self.too_long(limit);
        }
        let reason = match str::from_utf8(self.bytes) {
            Ok(text) => match serde_json::from_str::<Parts<'a>>(text) {
                Ok(parts) => return self.of_parts(&parts),
                Err(error) if error.is_data() => return self.no_object(),
                Err(error) => Reason::of_parse_error(&error),
            },
            Err(error) => Reason::NotUtf8(error.valid_up_to()),
        };
        self.broken(reason)
    }

    /// The payload of `{"type":"event","payload":…}`, or of one with an id, if it can be stored. In doubt the long way has
    /// the answer.
    fn nothing_but_an_event(&self) -> Option<(Value, Option<&'a str>)> {
        if self.exceeds.is_some() {
            return None;
        }
        let (id, rest) = beginning_of_an_event(self.bytes)?;
        let rest = after(rest, &[",", "\"payload\"", ":"])?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        let payload = values.next()?.ok()?;
        let ends = rest[values.byte_offset()..].trim_ascii() == b"}";
        let fits = rest.len() <= EVENT_LIMIT && payload.is_object() && storable(&payload).is_ok();
        (ends && fits).then_some((payload, id))
    }

    fn of_parts(&self, parts: &Parts<'a>) -> Result<Said<'a>, OutputError> {
        let part = |name: &str| parts.get(name).copied();
        let words = |name: &str| part(name).and_then(text);
        let state = || part("state").map_or(Ok(None), read_state);
        let id = part("id").filter(|id| id.get() != "null");
        let message = match words("type").as_deref() {
            Some("event") => self.event(part("payload")),
            Some("state") => Message::State(state()?),
            Some("done") => Message::Done { cpu: part("cpu_ms").and_then(cpu) },
            Some("log") => {
                Message::Log { level: words("level"), message: words("message").unwrap_or_default() }
            }
            Some("error") => Message::Error {
                message: words("message").unwrap_or_default(),
                traceback: words("traceback"),
                cpu: part("cpu_ms").and_then(cpu),
            },
            Some("heartbeat") => Message::Heartbeat,
            Some("contact") => Message::Contact,
            Some("checkpoint") => Message::Checkpoint { id: self.checkpoint_id(id)?, state: state()? },
            Some("result") => Message::Result(part("result").map_or("null", RawValue::get).to_owned()),
            Some("unfit") => Message::Unfit { reason: words("reason").unwrap_or_default() },
            Some("hello") => {
                self.hello(part("protocol"), |name| part(name).is_some_and(|raw| raw.get() == "true"))?
            }
            _ => return Err(OutputError::UnknownMessage { excerpt: self.excerpt() }),
        };
        Ok((message, id.map(RawValue::get)))
    }

    fn event(&self, payload: Option<&RawValue>) -> Message {
        Message::Event(match payload {
            Some(payload) => read_event(payload.get()),
            None => Err(self.rejected(Reason::NoPayload)),
        })
    }

    fn hello(
        &self,
        version: Option<&RawValue>,
        announces: impl Fn(&str) -> bool,
    ) -> Result<Message, OutputError> {
        if version.is_some_and(|version| version.get() == VERSION.to_string()) {
            return Ok(Message::Hello { checkpoints: announces("checkpoints"), ids: announces("ids") });
        }
        Err(OutputError::UnknownVersion { excerpt: self.excerpt() })
    }

    fn checkpoint_id(&self, id: Option<&RawValue>) -> Result<Option<CheckpointId>, OutputError> {
        if id.is_some_and(|id| id.get().len() > CHECKPOINT_ID_LIMIT) {
            return Err(OutputError::CheckpointIdTooLong { excerpt: self.excerpt() });
        }
        Ok(id.map(CheckpointId::new))
    }

    fn too_long(&self, limit: usize) -> Result<Said<'a>, OutputError> {
        if beginning_of_an_event(self.bytes).is_some() {
            return Ok((Message::Event(Err(self.rejected(Reason::TooLarge(limit)))), None));
        }
        Err(OutputError::LineTooLong { limit, excerpt: self.excerpt() })
    }

    /// What a line is that no parser takes. One that its program did not finish is no event that an author wrote wrong.
    fn broken(&self, reason: Reason) -> Result<Said<'a>, OutputError> {
        if !self.whole {
            return Err(OutputError::CutOff { excerpt: self.excerpt() });
        }
        if beginning_of_an_event(self.bytes).is_some() {
            return Ok((Message::Event(Err(self.rejected(reason))), None));
        }
        match reason {
            Reason::NotUtf8(position) => {
                Err(OutputError::NotUtf8 { position, excerpt: quote::around(self.bytes, position) })
            }
            Reason::NotJson(reason) => Err(OutputError::NotJson { reason, excerpt: self.excerpt() }),
            reason => Err(OutputError::NotJson { reason: reason.to_string(), excerpt: self.excerpt() }),
        }
    }

    fn no_object(&self) -> Result<Said<'a>, OutputError> {
        Err(OutputError::NotAnObject { excerpt: self.excerpt() })
    }

    fn rejected(&self, reason: Reason) -> Rejected {
        let kept = if self.exceeds.is_some() { KEPT.min(self.bytes.len()) } else { self.bytes.len() };
        Rejected { raw: self.bytes[..kept].to_vec(), reason }
    }
}

/// A text for people: what is no string (or holds half a character) is shown as it stands, rather than lost.
fn text(raw: &RawValue) -> Option<String> {
    match raw.get() {
        "null" => None,
        raw => Some(serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())),
    }
}

/// A time in milliseconds: what is no number that a time can be says nothing, and breaks nothing.
fn cpu(raw: &RawValue) -> Option<Duration> {
    let milliseconds: f64 = serde_json::from_str(raw.get()).ok()?;
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

/// What follows `{"type":"event"`, or `{"type":"event","id":7`, and that id; none for a line that begins otherwise.
fn beginning_of_an_event(line: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let rest = after(line, &["{", "\"type\"", ":", "\"event\""])?;
    let Some(id) = after(rest, &[",", "\"id\"", ":"]).map(<[u8]>::trim_ascii_start) else {
        return Some((None, rest));
    };
    let (number, rest_after) = id.split_at(id.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let is_whole = matches!(rest_after.trim_ascii_start().first(), Some(b',' | b'}'));
    match str::from_utf8(number) {
        Ok(number) if is_whole && !number.is_empty() => Some((Some(number), rest_after)),
        _ => Some((None, rest)),
    }
}

/// What follows these tokens, white space aside, if the line starts with them.
fn after<'a>(line: &'a [u8], tokens: &[&str]) -> Option<&'a [u8]> {
    tokens.iter().try_fold(line, |rest, token| rest.trim_ascii_start().strip_prefix(token.as_bytes()))
}
