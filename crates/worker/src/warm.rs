//! One attempt in a warm host. How it ends is recorded as for a process of its own.

use attune_common::repositories::execution::Claimed;
use attune_core::pack::Isolation;
use attune_core::protocol::Message;
use attune_core::runtime::execution::Role;
use attune_core::usage::Spent;
use attune_executor::finish::Outcome;
use attune_process::{self as process, Level};
use attune_runtimes::host::{Answer, Listener, Request, Site, Task, TurnError, lasting};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Runner, timed_out, too_large, with_reason};
use crate::log::Log;
use crate::program::{self, Found, StartError, variables};
use crate::result;

/// What a host says around a result.
const AROUND: usize = 64 * 1024;

/// What a host says in one run.
struct Heard<'a> {
    log: Log,
    result: Option<String>,
    spent: &'a mut Spent,
}

impl Listener for Heard<'_> {
    fn message(&mut self, message: Message) {
        match message {
            Message::Result(result) => self.result = Some(result),
            Message::Log { message, .. } => self.log.push(format!("{message}\n").as_bytes()),
            // The rules of the protocol let nothing else through.
            _ => {}
        }
    }

    fn log(&mut self, chunk: &[u8]) {
        self.log.push(chunk);
    }

    fn spent(&mut self, spent: Spent) {
        *self.spent = spent;
    }
}

impl Runner {
    /// Runs in a host. None when the action has to run by itself: it does not ask for a host, it demands a sandbox or limits
    /// of its own, its runtime has no host, or a host refused its file.
    pub(crate) async fn run_warm(
        &self,
        claimed: &Claimed,
        found: &Found,
        limits: &process::Limits,
        log: &Log,
        spent: &mut Spent,
        stop: &CancellationToken,
    ) -> Result<Option<Outcome>, StartError> {
        let Found { code, interpreter, action } = found;
        let is_warm = Isolation::of_column(action.isolation.as_deref()) == Some(Isolation::Warm);
        if !is_warm || program::confinement(claimed)?.is_its_own(Level::None) {
            return Ok(None);
        }
        let host_limits = lasting(limits.clone());
        let site = Site { code, interpreter, role: Role::Action, limits: &host_limits };
        let request = Request {
            task: Task::Run { action: &claimed.action_ref, params: &claimed.params },
            entrypoint: &action.entrypoint,
            variables: &variables(claimed, &code.pack),
            time: limits.time,
            output_limit: self.limits.result.saturating_add(AROUND),
        };
        let mut heard = Heard { log: log.clone(), result: None, spent };
        match self.hosts.turn(&site, &request, &mut heard, stop.cancelled()).await {
            Ok(answer) => Ok(answer.and_then(|answer| heard.outcome(answer, self.limits.result))),
            Err(TurnError::Prepare(error)) => Err(error.into()),
            Err(TurnError::TimedOut) => Ok(Some(timed_out(limits.time))),
            Err(TurnError::TooMuchOutput) => Ok(Some(too_large(self.limits.result))),
            Err(TurnError::Stopped) => Ok(Some(Outcome::Cancelled)),
            Err(error) => Ok(Some(Outcome::Failed { result: None, error: with_reason(error, log) })),
        }
    }
}

impl Heard<'_> {
    fn outcome(self, answer: Answer, limit: usize) -> Option<Outcome> {
        let size = self.result.as_ref().map_or(0, String::len);
        let result = self.result.map_or(Value::Null, |text| result::value(text.as_bytes()));
        match answer {
            Answer::Unfit { .. } => None,
            Answer::Done if size > limit => Some(too_large(limit)),
            Answer::Done => Some(Outcome::Succeeded(result)),
            Answer::Failed { message, traceback } => {
                // A process of its own shows this on stderr.
                let said = traceback.filter(|text| !text.trim().is_empty()).unwrap_or(message);
                self.log.push(format!("{}\n", said.trim_end()).as_bytes());
                Some(Outcome::Failed { result: Some(result), error: with_reason("it failed", &self.log) })
            }
        }
    }
}
