//! A stream: perhaps `hello`, then events as they happen, until it is told to stop, ends or fails.

use super::line::Line;
use super::message::Message;
use super::rules::{Rules, misplaced};
use crate::output::OutputError;

/// Events that may wait for their checkpoint.
pub const STREAM_EVENTS: usize = 10_000;
/// Bytes of the events that may wait for their checkpoint.
pub const STREAM_BYTES: usize = 10 * 1024 * 1024;

/// Where the conversation with a stream stands.
#[derive(Debug, Default)]
pub struct Stream {
    spoke: bool,
    checkpoints: bool,
    events: usize,
    bytes: usize,
    failed: bool,
}

impl Stream {
    /// Whether its events wait for a checkpoint, as it announced.
    pub fn has_checkpoints(&self) -> bool {
        self.checkpoints
    }

    fn hello(&mut self, checkpoints: bool, first: bool, line: &Line<'_>) -> Result<(), OutputError> {
        self.checkpoints = checkpoints;
        if first { Ok(()) } else { Err(OutputError::LateHello { excerpt: line.excerpt() }) }
    }

    fn event(&mut self, line: &Line<'_>) -> Result<(), OutputError> {
        self.events += 1;
        self.bytes += line.len();
        let too_much = self.events > STREAM_EVENTS || self.bytes > STREAM_BYTES;
        if self.checkpoints && too_much { Err(OutputError::NoCheckpoint) } else { Ok(()) }
    }

    fn checkpoint(&mut self, line: &Line<'_>) -> Result<(), OutputError> {
        (self.events, self.bytes) = (0, 0);
        if self.checkpoints { Ok(()) } else { Err(OutputError::Unannounced { excerpt: line.excerpt() }) }
    }
}

impl Rules for Stream {
    fn may_speak(&self, line: &Line<'_>) -> Result<(), OutputError> {
        if self.failed { Err(OutputError::AfterError { excerpt: line.excerpt() }) } else { Ok(()) }
    }

    fn take(&mut self, message: &Message, _: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        let first = !std::mem::replace(&mut self.spoke, true);
        match message {
            Message::Hello { checkpoints, .. } => self.hello(*checkpoints, first, line),
            Message::Event(_) => self.event(line),
            Message::Checkpoint { .. } => self.checkpoint(line),
            Message::Heartbeat | Message::Contact | Message::Log { .. } => Ok(()),
            Message::Error { .. } => {
                self.failed = true;
                Ok(())
            }
            _ => Err(misplaced(message, "a stream", line)),
        }
    }

    /// A stream may end at any time; what that means is for whoever started it.
    fn end(&self) -> Result<(), OutputError> {
        Ok(())
    }
}
