//! One poll by a process of its own: events, a state, contact and log, then `done` or `error`.

use super::line::Line;
use super::message::Message;
use super::rules::{Rules, misplaced};
use crate::output::OutputError;

/// Events of one poll. What is more would take a hundred times the memory of its text, and one transaction.
pub const POLL_EVENTS: usize = 10_000;

/// Where a poll stands.
#[derive(Debug, Default)]
pub struct Poll {
    done: bool,
    failed: bool,
    events: usize,
}

impl Rules for Poll {
    fn may_speak(&self, line: &Line<'_>) -> Result<(), OutputError> {
        if self.done { Err(OutputError::AfterDone { excerpt: line.excerpt() }) } else { Ok(()) }
    }

    fn take(&mut self, message: &Message, _: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        match message {
            Message::Event(_) => return one_more(&mut self.events),
            Message::State(_) | Message::Contact | Message::Log { .. } => {}
            Message::Error { .. } => self.failed = true,
            Message::Done { .. } => self.done = true,
            _ => return Err(misplaced(message, "a poll", line)),
        }
        Ok(())
    }

    /// A wrapper that said neither died.
    fn end(&self) -> Result<(), OutputError> {
        if self.done || self.failed { Ok(()) } else { Err(OutputError::NotDone) }
    }
}

/// Counts an event of a poll.
pub(super) fn one_more(events: &mut usize) -> Result<(), OutputError> {
    *events += 1;
    if *events > POLL_EVENTS { Err(OutputError::TooManyEvents) } else { Ok(()) }
}
