//! A warm host: `hello`, then one request after the other, each answered to its end before the next is sent.

use super::line::Line;
use super::message::Message;
use super::poll::one_more;
use super::rules::{Rules, misplaced};
use crate::output::OutputError;

/// Where the conversation with a host stands.
#[derive(Debug, Default)]
pub struct Host {
    greeted: bool,
    asked: Option<(u64, Turn)>,
    /// Of this turn.
    events: usize,
}

/// What a host is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A poll of a sensor.
    Poll,
    /// A run of an action.
    Run,
}

impl Host {
    /// The host gets the request `id`. Until then it has nothing to say.
    pub fn ask(&mut self, id: u64, turn: Turn) {
        debug_assert!(self.is_idle(), "one request at a time");
        (self.asked, self.events) = (Some((id, turn)), 0);
    }

    /// Whether it said hello and nothing is asked of it.
    pub fn is_idle(&self) -> bool {
        self.greeted && self.asked.is_none()
    }

    fn answer(&mut self, asked: u64, named: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        self.asked = None;
        match named {
            Some(named) if named != asked.to_string() => {
                Err(OutputError::WrongId { asked, excerpt: line.excerpt() })
            }
            _ => Ok(()),
        }
    }
}

impl Rules for Host {
    fn may_speak(&self, line: &Line<'_>) -> Result<(), OutputError> {
        if self.is_idle() { Err(OutputError::Unasked { excerpt: line.excerpt() }) } else { Ok(()) }
    }

    fn take(&mut self, message: &Message, id: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        if !self.greeted {
            self.greeted = matches!(message, Message::Hello { .. });
            return if self.greeted { Ok(()) } else { Err(OutputError::NoHello { excerpt: line.excerpt() }) };
        }
        match (message, self.asked) {
            (Message::Hello { .. }, _) => Err(OutputError::LateHello { excerpt: line.excerpt() }),
            (Message::Event(_), Some((_, Turn::Poll))) => one_more(&mut self.events),
            (Message::State(_) | Message::Contact, Some((_, Turn::Poll)))
            | (Message::Result(_), Some((_, Turn::Run)))
            | (Message::Log { .. }, Some(_)) => Ok(()),
            (Message::Done { .. } | Message::Error { .. } | Message::Unfit { .. }, Some((asked, _))) => {
                self.answer(asked, id, line)
            }
            (_, Some((_, Turn::Run))) => Err(misplaced(message, "the answer to `run`", line)),
            _ => Err(misplaced(message, "the answer to `poll`", line)),
        }
    }

    fn end(&self) -> Result<(), OutputError> {
        if self.asked.is_some() { Err(OutputError::NotDone) } else { Ok(()) }
    }
}
