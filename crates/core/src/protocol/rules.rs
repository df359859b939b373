//! What may be said when.

use super::line::Line;
use super::message::Message;
use crate::output::OutputError;

/// The rules of one kind of conversation, and where it stands. Each error quotes the line that breaks them.
pub trait Rules {
    /// Whether anything may be said now. Asked before the line is read, as it may be of no form at all.
    fn may_speak(&self, line: &Line<'_>) -> Result<(), OutputError>;

    /// Takes the message of a line; `id` is that of the request that it answers, as JSON.
    fn take(&mut self, message: &Message, id: Option<&str>, line: &Line<'_>) -> Result<(), OutputError>;

    /// Whether the conversation may end here.
    fn end(&self) -> Result<(), OutputError>;
}

/// A message that is none of this kind of conversation.
pub(super) fn misplaced(message: &Message, place: &'static str, line: &Line<'_>) -> OutputError {
    OutputError::Misplaced { kind: message.kind(), place, excerpt: line.excerpt() }
}
