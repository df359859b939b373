//! From chunks of a stream to messages that may come where they came.

use super::line::Line;
use super::message::Message;
use super::rules::Rules;
use crate::output::OutputError;

/// Bytes of one line.
pub const LINE_LIMIT: usize = 10 * 1024 * 1024;
/// As much room as is kept between two lines.
const ROOM: usize = 64 * 1024;

/// Turns chunks, cut anywhere, into messages. After an error the conversation has no meaning any more.
#[derive(Debug)]
pub struct Decoder<R> {
    rules: R,
    line: Vec<u8>,
    limit: usize,
    /// The line is longer than the limit; the rest of it is skipped.
    overlong: bool,
}

impl<R: Rules + Default> Default for Decoder<R> {
    fn default() -> Self {
        Self::with_line_limit(LINE_LIMIT)
    }
}

impl<R: Rules + Default> Decoder<R> {
    /// A decoder that takes lines of up to `limit` bytes.
    pub fn with_line_limit(limit: usize) -> Self {
        Self { rules: R::default(), line: Vec::new(), limit, overlong: false }
    }
}

impl<R: Rules> Decoder<R> {
    /// Where the conversation stands.
    pub fn rules(&self) -> &R {
        &self.rules
    }

    /// Where the conversation stands, to ask the next thing.
    pub fn rules_mut(&mut self) -> &mut R {
        &mut self.rules
    }

    /// Takes the next bytes and appends the messages that they complete.
    pub fn push(&mut self, chunk: &[u8], messages: &mut Vec<Message>) -> Result<(), OutputError> {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.extend(&rest[..end]);
            messages.extend(self.end_of_line(true)?);
            rest = &rest[end + 1..];
        }
        let known = self.overlong;
        self.extend(rest);
        // A line that is no event is hopeless as soon as it is too long. Of one that is, nothing more is kept or looked at.
        if self.overlong && !known {
            self.judge(&Line::new(&self.line, Some(self.limit), false))
        } else {
            Ok(())
        }
    }

    /// The stream has ended: the last line may lack its newline, but nothing may lack that the rules ask for.
    pub fn finish(mut self, messages: &mut Vec<Message>) -> Result<(), OutputError> {
        messages.extend(self.end_of_line(false)?);
        self.rules.end()
    }

    fn judge(&self, line: &Line<'_>) -> Result<(), OutputError> {
        self.rules.may_speak(line)?;
        line.read().map(drop)
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.line.len());
        self.overlong |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_of_line(&mut self, whole: bool) -> Result<Option<Message>, OutputError> {
        let message = self.take(whole)?;
        self.line.clear();
        self.line.shrink_to(ROOM);
        self.overlong = false;
        Ok(message)
    }

    fn take(&mut self, whole: bool) -> Result<Option<Message>, OutputError> {
        let line = Line::new(&self.line, self.overlong.then_some(self.limit), whole);
        if line.is_empty() {
            return Ok(None);
        }
        self.rules.may_speak(&line)?;
        let (message, id) = line.read()?;
        self.rules.take(&message, id, &line)?;
        Ok(Some(message))
    }
}
