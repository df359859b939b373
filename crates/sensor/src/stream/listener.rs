//! What a stream's program says, and what follows from it.

use attune_core::output::OutputError;
use attune_core::protocol::{Decoder, Message, Stream};
use attune_process::Usage;
use tokio::time::Instant;

use super::StreamError;
use super::ear::Ear;
use super::intake::Intake;
use super::log::Log;
use super::watchdog::Watchdog;
use crate::runtime::PollError;

/// Asked after each message: whether the program is killed there, and what it said afterwards never read.
pub(crate) type Cut<'a> = &'a (dyn Fn(&Message) -> bool + Sync);

/// Listens to one run of a stream.
pub(crate) struct Listener<'a> {
    decoder: Decoder<Stream>,
    pub(super) intake: Intake,
    pub(super) watchdog: Watchdog,
    pub(super) log: Log<'a>,
    /// Told of each thing that it says.
    heard: &'a Ear,
    /// What it took in all, once it is gone.
    pub(super) used: Option<Usage>,
    /// Nobody, but in the laboratory.
    cut: Option<Cut<'a>>,
}

impl<'a> Listener<'a> {
    /// One that tells `heard` of whatever it hears.
    pub(crate) fn new(log: Log<'a>, watchdog: Watchdog, heard: &'a Ear) -> Self {
        let (decoder, intake) = (Decoder::default(), Intake::default());
        Self { decoder, intake, watchdog, log, heard, used: None, cut: None }
    }

    /// The same, which may be cut off.
    pub(super) fn cut_by(self, cut: Option<Cut<'a>>) -> Self {
        Self { cut, ..self }
    }

    /// Takes bytes of stdout. What came before an error counts.
    pub(super) fn stdout(&mut self, chunk: &[u8]) -> Result<(), StreamError> {
        let mut messages = Vec::new();
        let read = self.decoder.push(chunk, &mut messages);
        self.intake.read(chunk.len());
        self.heard.read(chunk.len());
        self.take_all(messages, read)
    }

    /// Takes bytes of stderr.
    pub(super) fn stderr(&mut self, chunk: &[u8]) {
        self.heard.read(chunk.len());
        self.log.stderr(chunk);
    }

    /// Its stdout has ended, perhaps in the middle of a line: how the program ended says more about that.
    pub(super) fn stdout_closed(&mut self) -> Result<(), StreamError> {
        let mut messages = Vec::new();
        let cut_off = std::mem::take(&mut self.decoder).finish(&mut messages);
        if let Err(error) = cut_off {
            tracing::debug!(error = &error as &dyn std::error::Error, "A stream's last line was not whole");
        }
        self.take_all(messages, Ok(()))
    }

    fn take_all(&mut self, messages: Vec<Message>, read: Result<(), OutputError>) -> Result<(), StreamError> {
        if !messages.is_empty() {
            self.watchdog.heard(Instant::now());
        }
        let spoke = !messages.is_empty();
        let taken = messages.into_iter().try_for_each(|message| self.take_or_cut(message));
        if spoke {
            self.heard.heard();
        }
        taken?;
        read.map_err(|error| PollError::Output { error, reason: self.log.tail() }.into())
    }

    fn take_or_cut(&mut self, message: Message) -> Result<(), StreamError> {
        let is_cut = self.cut.is_some_and(|cut| cut(&message));
        self.take(message)?;
        if is_cut { Err(StreamError::Cut) } else { Ok(()) }
    }

    fn take(&mut self, message: Message) -> Result<(), StreamError> {
        match message {
            Message::Hello { checkpoints: true, .. } => self.intake.expect_checkpoints(),
            Message::Event(event) => self.intake.event(event),
            Message::Checkpoint { id, state } => self.intake.checkpoint(id, state),
            Message::Heartbeat => {
                self.watchdog.arm();
                self.heard.beat();
            }
            Message::Contact => self.heard.contact(),
            Message::Log { level, message } => self.log.message(level.as_deref(), &message),
            Message::Error { message, traceback, .. } => {
                return Err(PollError::Reported { message, traceback }.into());
            }
            // The decoder lets a stream say nothing else.
            Message::Hello { checkpoints: false, .. }
            | Message::State(_)
            | Message::Result(_)
            | Message::Unfit { .. }
            | Message::Done { .. } => {}
        }
        Ok(())
    }
}
