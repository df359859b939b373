//! What a poll printed, read by the rules of its protocol.

use std::time::Duration;

use attune_core::output::{OutputError, PlainOutput, Rejected, parse_plain};
use attune_core::protocol::{Decoder, Message, Poll};
use attune_core::runtime::execution::Protocol;
use attune_process::{Outcome, Stream};
use serde_json::Value;

use super::PollError;

/// An output that is longer is read beside the tasks of the service, which would wait for that.
const LONG: usize = 256 * 1024;
/// As much of the end of stderr as an error quotes.
const TAIL: usize = 2000;

/// What a poll gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PollOutput {
    /// Events that can be stored, in their order.
    pub events: Vec<Value>,
    /// The state to keep; `None` leaves it as it is.
    pub state: Option<Value>,
    /// What was meant as an event and can not be stored.
    pub rejected: Vec<Rejected>,
    /// It said that it reached its source.
    pub contact: bool,
    /// What it printed for people: its stderr, and its wrapper's log.
    pub log: String,
}

/// A program that ended, with all that it printed.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) output_limit: usize,
    /// How long it had.
    pub(super) time: Duration,
}

impl Ended {
    /// The poll's output, or why there is none.
    pub(super) async fn read(self, protocol: Protocol) -> Result<PollOutput, PollError> {
        if self.stdout.len() <= LONG {
            return self.read_now(protocol);
        }
        let reading = tokio::task::spawn_blocking(move || self.read_now(protocol)).await;
        // It is not aborted, so it is the end of the service, or a panic, which goes on here.
        reading.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(PollError::Stopped),
        })
    }

    fn read_now(self, protocol: Protocol) -> Result<PollOutput, PollError> {
        let reason = || last_lines(&self.stderr);
        match self.outcome {
            Outcome::Stopped => return Err(PollError::Stopped),
            Outcome::TimedOut => return Err(PollError::TimedOut { limit: self.time, reason: reason() }),
            Outcome::OutputLimit(Stream::Stdout | Stream::Stderr) => {
                return Err(PollError::TooMuchOutput { limit: self.output_limit });
            }
            Outcome::Excess(_) => return Err(PollError::Ended { ended: self.outcome, reason: reason() }),
            Outcome::Exited(_) | Outcome::Signalled(_) => {}
        }
        let read = match protocol {
            Protocol::Plain => self.read_plain(),
            Protocol::Ndjson => self.read_messages(),
        };
        match read {
            // What the sensor itself says of its failure says more than the code with which its program ended.
            Err(Failure::Reported(error)) => Err(error),
            _ if !self.outcome.is_success() => {
                Err(PollError::Ended { ended: self.outcome, reason: reason() })
            }
            Err(Failure::Output(error)) => Err(PollError::Output { error, reason: reason() }),
            Ok(mut output) => {
                output.log.insert_str(0, &String::from_utf8_lossy(&self.stderr));
                Ok(output)
            }
        }
    }

    fn read_plain(&self) -> Result<PollOutput, Failure> {
        if !self.outcome.is_success() {
            return Ok(PollOutput::default());
        }
        let PlainOutput { events, state, contact } = parse_plain(&self.stdout).map_err(Failure::Output)?;
        let mut output = PollOutput { state, contact, ..PollOutput::default() };
        for event in events {
            output.add(event);
        }
        Ok(output)
    }

    fn read_messages(&self) -> Result<PollOutput, Failure> {
        let (mut decoder, mut messages) = (Decoder::<Poll>::default(), Vec::new());
        let whole = decoder.push(&self.stdout, &mut messages).and_then(|()| decoder.finish(&mut messages));
        let mut output = PollOutput::default();
        for message in messages {
            if let Message::Error { message, traceback, .. } = message {
                return Err(Failure::Reported(PollError::Reported { message, traceback }));
            }
            output.hear(message);
        }
        whole.map(|()| output).map_err(Failure::Output)
    }
}

/// Who says that a poll failed.
enum Failure {
    Reported(PollError),
    Output(OutputError),
}

impl PollOutput {
    /// Takes a message; the rules of the protocol let none through that has no place here.
    pub(super) fn hear(&mut self, message: Message) {
        match message {
            Message::Event(event) => self.add(event),
            Message::State(state) => self.state = state.or(self.state.take()),
            Message::Contact => self.contact = true,
            Message::Log { message, .. } => self.log.extend([message.as_str(), "\n"]),
            _ => {}
        }
    }

    fn add(&mut self, event: Result<Value, Rejected>) {
        match event {
            Ok(event) => self.events.push(event),
            Err(rejected) => self.rejected.push(rejected),
        }
    }
}

pub(super) fn last_lines(stderr: &[u8]) -> String {
    let start = stderr.len().saturating_sub(TAIL);
    String::from_utf8_lossy(&stderr[start..]).trim().to_owned()
}
