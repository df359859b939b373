//! The checks of a stream: it is listened to, its checkpoints are acknowledged, and then it is told to stop.

use std::time::Duration;

use attune_core::output::{OutputError, Rejected};
use attune_core::protocol::{Message, Order, Stream};
use attune_process::Talk;
use attune_runtimes::launch::Prepared;
use serde_json::json;
use tokio::time::Instant;

use super::check::{Check, count};
use super::conversation::{Conversation, Heard, UNKNOWN};

/// How long a stream may take to end that has said its last word.
const LAST: Duration = Duration::from_secs(1);

/// What was seen of a stream.
#[derive(Default)]
struct Seen {
    messages: usize,
    hello: Option<bool>,
    events: usize,
    /// Events that came after the last checkpoint.
    open: usize,
    checkpoints: usize,
    rejected: Vec<Rejected>,
    error: Option<String>,
}

/// How the time passed in which it was listened to.
enum Passed {
    Runs,
    Ended,
    Broke(OutputError),
}

pub(super) async fn check(started: (Talk, Prepared), time: Duration) -> Vec<Check> {
    let mut stream = Conversation::<Stream>::new(started);
    let mut seen = Seen::default();
    let passed = listen(&mut stream, &mut seen, time).await;
    match passed {
        Passed::Runs => stop(stream, seen, time).await,
        Passed::Ended => {
            let end = stream.end(LAST).await.unwrap_or_else(|wrong| wrong);
            let why = seen.error.as_ref().map_or(end, |error| format!("it failed: {error}"));
            seen.checks(Ok(()), Err(format!("a stream runs until it is told to stop, and {why}")))
        }
        Passed::Broke(fault) => seen.checks(Err(fault), Ok(String::new())),
    }
}

/// Listens; in the middle come orders that a stream has to bear.
async fn listen(stream: &mut Conversation<Stream>, seen: &mut Seen, time: Duration) -> Passed {
    let start = Instant::now();
    let first = hear(stream, seen, start + time / 2).await;
    if !matches!(first, Passed::Runs) {
        return first;
    }
    stream.tell(&Order::Params { trigger_params: &json!([]) }).await;
    stream.write(UNKNOWN).await;
    hear(stream, seen, start + time).await
}

async fn hear(stream: &mut Conversation<Stream>, seen: &mut Seen, until: Instant) -> Passed {
    while Instant::now() < until {
        match stream.hear(until).await {
            Ok(Heard::Message(message)) => {
                if let Some(ack) = seen.take(message) {
                    stream.write(&ack).await;
                }
                if seen.error.is_some() {
                    return Passed::Ended;
                }
            }
            Ok(Heard::Silence) => break,
            Ok(Heard::End) => return Passed::Ended,
            Err(fault) => return Passed::Broke(fault),
        }
    }
    Passed::Runs
}

async fn stop(mut stream: Conversation<Stream>, mut seen: Seen, time: Duration) -> Vec<Check> {
    match stream.stop(|message| seen.take(message)).await {
        Ok(took) => {
            let stopped = stream.end_after_stop(took).await;
            let runs =
                format!("for {} s, with a change of parameters and an unknown order", time.as_secs_f64());
            let mut checks = seen.checks(Ok(()), Ok(runs));
            checks.push(Check::new("stops", stopped));
            checks
        }
        Err(fault) => seen.checks(Err(fault), Ok(String::new())),
    }
}

impl Seen {
    /// Takes a message; what is to be answered.
    fn take(&mut self, message: Message) -> Option<Vec<u8>> {
        self.messages += 1;
        match message {
            Message::Hello { checkpoints, .. } => self.hello = Some(checkpoints),
            Message::Event(event) => {
                self.events += 1;
                self.open += 1;
                self.rejected.extend(event.err());
            }
            Message::Checkpoint { id, .. } => {
                self.checkpoints += 1;
                self.open = 0;
                return id.map(|id| Order::Ack { checkpoint: &id }.line());
            }
            Message::Error { message, .. } => self.error = Some(message),
            _ => {}
        }
        None
    }

    /// All but the last. After a breach how long it ran says nothing.
    fn checks(&self, messages: Result<(), OutputError>, runs: Result<String, String>) -> Vec<Check> {
        let broke = messages.is_err();
        let mut checks = vec![Check::new("hello", self.check_hello(&messages))];
        if checks[0].ok {
            checks.push(Check::new("messages", self.check_messages(messages)));
        }
        if !broke {
            checks.push(Check::new("runs", runs));
        }
        checks.push(Check::new("events", self.check_events()));
        if self.hello == Some(true) && !broke {
            checks.push(Check::new("checkpoints", self.check_checkpoints()));
        }
        checks
    }

    fn check_hello(&self, messages: &Result<(), OutputError>) -> Result<String, String> {
        match (messages, self.hello) {
            (Err(fault @ (OutputError::UnknownVersion { .. } | OutputError::LateHello { .. })), _) => {
                Err(fault.to_string())
            }
            (_, None) => Ok("none, so version 1, and events are committed as they come".to_owned()),
            (_, Some(false)) => Ok("version 1, and events are committed as they come".to_owned()),
            (_, Some(true)) => Ok("version 1, and events wait for checkpoints".to_owned()),
        }
    }

    fn check_messages(&self, messages: Result<(), OutputError>) -> Result<String, String> {
        match messages {
            Ok(()) => Ok(format!("{}, each well formed and at its place", self.messages)),
            Err(fault) => Err(format!("number {}: {fault}", self.messages + 1)),
        }
    }

    fn check_events(&self) -> Result<String, String> {
        match self.rejected.first() {
            None if self.events == 0 => Ok("none came".to_owned()),
            None => Ok(format!("{}, which can all be stored", self.events)),
            Some(Rejected { raw, reason }) => Err(format!(
                "{} of {} can not be stored: {reason}: {}",
                self.rejected.len(),
                self.events,
                String::from_utf8_lossy(raw)
            )),
        }
    }

    fn check_checkpoints(&self) -> Result<String, String> {
        let (checkpoints, open) = (self.checkpoints, self.open);
        match (checkpoints, open) {
            (0, 1..) => Err(format!("none, and {} came, so nothing is ever committed", count(open, "event"))),
            (_, 0) => Ok(format!("{checkpoints}, and no event came after the last one")),
            _ => Ok(format!(
                "{checkpoints}; {} came after the last one, and would come again",
                count(open, "event")
            )),
        }
    }
}
