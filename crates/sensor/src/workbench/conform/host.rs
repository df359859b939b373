//! The checks of a host: it polls a file twice, fails at one that is not there, and goes on until it is told to stop.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use attune_core::protocol::{self, Brief, Message, Order, Turn};
use attune_process::Talk;
use attune_runtimes::launch::Prepared;
use serde_json::json;
use tokio::time::Instant;

use super::check::{Check, count};
use super::conversation::{Conversation, Heard, UNKNOWN};
use crate::runtime::Job;

/// How long it may take to be there.
const START: Duration = Duration::from_secs(10);
/// How long it is listened to when it has nothing to say.
const QUIET: Duration = Duration::from_millis(200);
/// A file that is nowhere.
const ABSENT: &str = "attune-conform-no-such-file";

/// A host under trial.
struct Trial<'a> {
    host: Conversation<protocol::Host>,
    job: &'a Job<'a>,
    time: Duration,
    asked: u64,
    checks: Vec<Check>,
}

/// What the host answered, and how it ended the turn.
struct Answer {
    events: usize,
    rejected: Option<String>,
    last: Message,
}

/// The conversation is over; the reason is among the checks.
struct Over;

pub(super) async fn check(started: (Talk, Prepared), job: &Job<'_>, time: Duration) -> Vec<Check> {
    let host = Conversation::new(started);
    let mut trial = Trial { host, job, time, asked: 0, checks: Vec::new() };
    match trial.all().await {
        Ok(()) => trial.stop().await,
        Err(Over) => trial.checks,
    }
}

impl Trial<'_> {
    async fn all(&mut self) -> Result<(), Over> {
        self.hello().await?;
        let file = self.job.code.directory.join(&self.job.sensor.row.entrypoint);
        let absent = self.job.code.directory.join(ABSENT);
        let polled = self.poll(&file).await;
        self.note("polls", polled.and_then(Answer::good))?;
        let polled = self.poll(&file).await;
        self.note("polls again", polled.and_then(Answer::good))?;
        let failed = self.poll(&absent).await;
        self.note("fails", failed.and_then(Answer::bad))?;
        let ran = self.run(&file).await;
        self.note("runs", ran.map(|answer| format!("an action in this file is {}", answer.last.kind())))?;
        self.host.write(UNKNOWN).await;
        let polled = self.poll(&file).await;
        self.note("goes on", polled.and_then(Answer::good))?;
        let silent = self.quiet().await;
        self.note("is silent", silent)
    }

    /// Without a further message nothing more can be asked.
    fn note(&mut self, check: &'static str, seen: Result<String, String>) -> Result<(), Over> {
        let is_over = seen.is_err();
        self.checks.push(Check::new(check, seen));
        if is_over { Err(Over) } else { Ok(()) }
    }

    async fn hello(&mut self) -> Result<(), Over> {
        let heard = self.next(Instant::now() + START).await;
        self.note("hello", heard.map(|_| "version 1".to_owned()))
    }

    /// The next message, as there has to be one.
    async fn next(&mut self, until: Instant) -> Result<Message, String> {
        match self.host.hear(until).await {
            Ok(Heard::Message(message)) => Ok(message),
            Ok(Heard::Silence) => Err("it says nothing for too long".to_owned()),
            Ok(Heard::End) => Err("it ended".to_owned()),
            Err(fault) => Err(fault.to_string()),
        }
    }

    async fn poll(&mut self, file: &Path) -> Result<Answer, String> {
        self.asked += 1;
        let (file, sensor) = (file.to_string_lossy(), &self.job.sensor);
        let brief = Brief {
            sensor: &sensor.row.r#ref,
            config: &sensor.config,
            state: self.job.state,
            triggers: &sensor.row.triggers,
            trigger_params: self.job.trigger_params,
        };
        let env = BTreeMap::new();
        let order = Order::Poll { id: self.asked, file: &file, brief, env: &env };
        self.host.rules_mut().ask(self.asked, Turn::Poll);
        self.host.tell(&order).await;
        self.answer().await
    }

    async fn run(&mut self, file: &Path) -> Result<Answer, String> {
        self.asked += 1;
        let (file, params, env) = (file.to_string_lossy(), json!({}), BTreeMap::new());
        let order =
            Order::Run { id: self.asked, action: "attune.conform", file: &file, params: &params, env: &env };
        self.host.rules_mut().ask(self.asked, Turn::Run);
        self.host.tell(&order).await;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Answer, String> {
        let (mut events, mut rejected) = (0, None);
        let until = Instant::now() + self.time;
        loop {
            match self.next(until).await? {
                Message::Event(Ok(_)) => events += 1,
                Message::Event(Err(event)) => {
                    let raw = String::from_utf8_lossy(&event.raw).into_owned();
                    rejected = Some(format!("an event can not be stored: {}: {raw}", event.reason));
                }
                last @ (Message::Done { .. } | Message::Error { .. } | Message::Unfit { .. }) => {
                    return Ok(Answer { events, rejected, last });
                }
                _ => {}
            }
        }
    }

    /// Between two turns a host has nothing to say.
    async fn quiet(&mut self) -> Result<String, String> {
        match self.host.hear(Instant::now() + QUIET).await {
            Ok(Heard::Silence) => Ok("between two turns".to_owned()),
            Ok(Heard::End) => Err("it ended".to_owned()),
            Ok(Heard::Message(message)) => Err(format!("it says `{}`", message.kind())),
            Err(fault) => Err(fault.to_string()),
        }
    }

    async fn stop(mut self) -> Vec<Check> {
        let stopped = match self.host.stop(|_| None).await {
            Ok(took) => self.host.end_after_stop(took).await,
            Err(fault) => Err(fault.to_string()),
        };
        self.checks.push(Check::new("stops", stopped));
        self.checks
    }
}

impl Answer {
    fn good(self) -> Result<String, String> {
        match (self.last, self.rejected) {
            (Message::Done { .. }, None) => Ok(format!("{}, `done`", count(self.events, "event"))),
            (Message::Done { .. }, Some(rejected)) => Err(rejected),
            (Message::Error { message, .. }, _) => Err(format!("`error`: {message}")),
            (Message::Unfit { reason }, _) => Err(format!("`unfit`: {reason}")),
            (last, _) => Err(format!("`{}`", last.kind())),
        }
    }

    fn bad(self) -> Result<String, String> {
        match self.last {
            Message::Error { message, .. } => {
                Ok(format!("a file that is not there is an `error`: {message}"))
            }
            Message::Unfit { reason } => Ok(format!("a file that is not there is `unfit`: {reason}")),
            last => Err(format!("a file that is not there is `{}`", last.kind())),
        }
    }
}
