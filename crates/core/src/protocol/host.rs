//! A warm host: `hello`, then one request after the other, each answered to its end before the next is sent.
//!
//! The code of many shares the host's process, so what comes may be of an earlier request, or written by nobody who was asked.
//! A host that announces ids has its request in each message, and then what has another one, or none, is an error. Whoever
//! asks should take ids that can not be guessed.

use super::line::Line;
use super::message::Message;
use super::poll::one_more;
use super::rules::{Rules, misplaced};
use crate::output::OutputError;

/// Where the conversation with a host stands.
#[derive(Debug, Default)]
pub struct Host {
    greeted: bool,
    ids: bool,
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

    /// Whether a message belongs to the request.
    fn belongs(&self, asked: u64, id: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        match id {
            Some(id) if id.parse() == Ok(asked) => Ok(()),
            Some(_) => Err(OutputError::WrongId { asked, excerpt: line.excerpt() }),
            None if self.ids => Err(OutputError::NoId { asked, excerpt: line.excerpt() }),
            None => Ok(()),
        }
    }
}

impl Rules for Host {
    fn may_speak(&self, line: &Line<'_>) -> Result<(), OutputError> {
        if self.is_idle() { Err(OutputError::Unasked { excerpt: line.excerpt() }) } else { Ok(()) }
    }

    fn take(&mut self, message: &Message, id: Option<&str>, line: &Line<'_>) -> Result<(), OutputError> {
        if !self.greeted {
            let Message::Hello { ids, .. } = message else {
                return Err(OutputError::NoHello { excerpt: line.excerpt() });
            };
            (self.greeted, self.ids) = (true, *ids);
            return Ok(());
        }
        let ends = matches!(message, Message::Done { .. } | Message::Error { .. } | Message::Unfit { .. });
        if let Some((asked, _)) = self.asked
            && (self.ids || ends)
        {
            self.belongs(asked, id, line)?;
        }
        match (message, self.asked) {
            (Message::Hello { .. }, _) => Err(OutputError::LateHello { excerpt: line.excerpt() }),
            (Message::Event(_), Some((_, Turn::Poll))) => one_more(&mut self.events),
            (Message::State(_) | Message::Contact, Some((_, Turn::Poll)))
            | (Message::Result(_), Some((_, Turn::Run)))
            | (Message::Log { .. }, Some(_)) => Ok(()),
            (_, Some(_)) if ends => {
                self.asked = None;
                Ok(())
            }
            (_, Some((_, Turn::Run))) => Err(misplaced(message, "the answer to `run`", line)),
            _ => Err(misplaced(message, "the answer to `poll`", line)),
        }
    }

    fn end(&self) -> Result<(), OutputError> {
        if self.asked.is_some() { Err(OutputError::NotDone) } else { Ok(()) }
    }
}
