//! One poll by a process of its own: events, a state and log, then `done` or `error`.

use super::line::Line;
use super::message::Message;
use super::rules::{Rules, misplaced};
use crate::output::OutputError;

/// Where a poll stands.
#[derive(Debug, Default)]
pub struct Poll {
    done: bool,
    failed: bool,
}

impl Rules for Poll {
    fn may_speak(&self, line: &Line<'_>) -> Result<(), OutputError> {
        if self.done { Err(OutputError::AfterDone { excerpt: line.excerpt() }) } else { Ok(()) }
    }

    fn take(&mut self, message: &Message, _: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        match message {
            Message::Event(_) | Message::State(_) | Message::Log { .. } => {}
            Message::Error { .. } => self.failed = true,
            Message::Done => self.done = true,
            _ => return Err(misplaced(message, "a poll", line)),
        }
        Ok(())
    }

    /// A wrapper that said neither died.
    fn end(&self) -> Result<(), OutputError> {
        if self.done || self.failed { Ok(()) } else { Err(OutputError::NotDone) }
    }
}
