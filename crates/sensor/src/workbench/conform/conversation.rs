//! A conversation with a program, message by message.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use attune_core::output::OutputError;
use attune_core::protocol::{Decoder, Message, Order, Rules};
use attune_process::{End, Outcome, Said, Stream, Talk, TalkIn, TalkOut};
use attune_runtimes::launch::Prepared;
use tokio::time::{Instant, timeout_at};

use crate::runtime::with_reason;

/// An order that no version has.
pub(super) const UNKNOWN: &[u8] = b"{\"type\":\"attune-conform\",\"means\":\"nothing\"}\n";
/// How long a program may take to end that was told to stop.
const STOP: Duration = Duration::from_secs(5);
/// As much of the end of stderr as is told.
const TAIL: usize = 2000;

/// A running program, spoken with by these rules.
pub(super) struct Conversation<R> {
    input: TalkIn,
    output: TalkOut,
    decoder: Decoder<R>,
    heard: VecDeque<Message>,
    fault: Option<OutputError>,
    stderr: Vec<u8>,
    is_over: bool,
    /// The directory that it runs in.
    _place: Prepared,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Heard {
    Message(Message),
    /// Nothing in time.
    Silence,
    /// Nothing ever.
    End,
}

impl<R: Rules + Default> Conversation<R> {
    pub(super) fn new((talk, place): (Talk, Prepared)) -> Self {
        let (input, output) = talk.split();
        Self {
            input,
            output,
            decoder: Decoder::default(),
            heard: VecDeque::new(),
            fault: None,
            stderr: Vec::new(),
            is_over: false,
            _place: place,
        }
    }

    /// Where the conversation stands.
    pub(super) fn rules_mut(&mut self) -> &mut R {
        self.decoder.rules_mut()
    }

    pub(super) async fn tell(&mut self, order: &Order<'_>) {
        self.write(&order.line()).await;
    }

    /// Writes a line as it is. That nobody reads is no fault in itself; a program that has ended says no more.
    pub(super) async fn write(&mut self, line: &[u8]) {
        let _ = self.input.send(line).await;
    }

    /// The next message, until this moment. What is no message, or not at its place, ends the conversation.
    pub(super) async fn hear(&mut self, until: Instant) -> Result<Heard, OutputError> {
        loop {
            if let Some(message) = self.heard.pop_front() {
                return Ok(Heard::Message(message));
            }
            if let Some(fault) = &self.fault {
                return Err(fault.clone());
            }
            if self.is_over {
                return Ok(Heard::End);
            }
            if !self.read(until).await {
                return Ok(Heard::Silence);
            }
        }
    }

    async fn read(&mut self, until: Instant) -> bool {
        let Ok(said) = timeout_at(until, self.output.next()).await else { return false };
        let mut messages = Vec::new();
        let read = match said {
            Some(Said::Stdout(chunk)) => self.decoder.push(chunk, &mut messages),
            Some(Said::Stderr(chunk)) => {
                keep_tail(&mut self.stderr, chunk);
                Ok(())
            }
            Some(Said::Closed(Stream::Stderr)) => Ok(()),
            Some(Said::Closed(Stream::Stdout)) | None => {
                self.is_over = true;
                mem::take(&mut self.decoder).finish(&mut messages)
            }
        };
        self.fault = read.err();
        self.heard.extend(messages);
        true
    }

    /// Waits for its end, and says how it came. `Err`: it had to be ended, or ended badly.
    pub(super) async fn end(mut self, within: Duration) -> Result<String, String> {
        let until = Instant::now() + within;
        while let Ok(Some(said)) = timeout_at(until, self.output.next()).await {
            if let Said::Stderr(chunk) = said {
                keep_tail(&mut self.stderr, chunk);
            }
        }
        let log = String::from_utf8_lossy(&self.stderr).trim().to_owned();
        let rest = until.saturating_duration_since(Instant::now());
        let finished = self.output.end(End::Awaited(rest)).await.map_err(|error| error.to_string())?;
        match finished.outcome {
            Outcome::Exited(0) => Ok("it exited with code 0".to_owned()),
            Outcome::TimedOut => Err("it ran on".to_owned()),
            outcome => Err(format!("it {outcome}{}", with_reason(&log))),
        }
    }

    /// As [`Self::end`], of a program that was told to stop and said its last word so long afterwards.
    pub(super) async fn end_after_stop(self, took: Duration) -> Result<String, String> {
        let end = self.end(STOP.saturating_sub(took)).await;
        end.map(|end| format!("{end}, {} ms after the order `stop`", took.as_millis()))
            .map_err(|wrong| format!("{wrong}, {} s after the order `stop`", STOP.as_secs()))
    }

    /// Tells it to stop, and waits until it says no more. `Err` is a breach in what it says meanwhile.
    pub(super) async fn stop(
        &mut self,
        mut see: impl FnMut(Message) -> Option<Vec<u8>>,
    ) -> Result<Duration, OutputError> {
        let told = Instant::now();
        self.tell(&Order::Stop).await;
        while let Heard::Message(message) = self.hear(told + STOP).await? {
            if let Some(answer) = see(message) {
                self.write(&answer).await;
            }
        }
        Ok(told.elapsed())
    }
}

fn keep_tail(stderr: &mut Vec<u8>, chunk: &[u8]) {
    stderr.extend_from_slice(chunk);
    stderr.drain(..stderr.len().saturating_sub(TAIL));
}
