//! One poll in a warm host. What it gives and how it fails is the same as for a process of its own.

use attune_core::pack::Isolation;
use attune_core::protocol::Message;
use attune_core::runtime::execution::Role;
use attune_core::usage::Spent;
use attune_process::Captured;
use attune_runtimes::host::{Answer, Listener, Request, Site, Task, TurnError};
use attune_runtimes::launch::Interpreter;

use super::reading::{PollOutput, last_lines};
use super::{Job, PollError, SensorRuntime};
use crate::definition::CONFINED;

/// What a host says in one poll.
struct Heard<'a> {
    output: PollOutput,
    stderr: Captured,
    spent: &'a mut Spent,
}

impl Listener for Heard<'_> {
    fn message(&mut self, message: Message) {
        self.output.hear(message);
    }

    fn log(&mut self, chunk: &[u8]) {
        self.stderr.push(chunk);
    }

    fn spent(&mut self, spent: Spent) {
        *self.spent = spent;
    }
}

impl SensorRuntime {
    /// Polls in a host. None when the sensor has to run by itself: it says so, it has a pass, or demands a sandbox or limits of its own, its
    /// runtime has no host, or a host refused its file.
    pub(super) async fn poll_warm(
        &self,
        interpreter: &Interpreter,
        job: &Job<'_>,
        spent: &mut Spent,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Option<PollOutput>, PollError> {
        let row = &job.sensor.row;
        let isolation = Isolation::of_column(row.isolation.as_deref());
        // What a host knows outlives the run, and a pass must not.
        let is_alone = isolation == Some(Isolation::Process) || job.pass.is_some();
        if is_alone || job.sensor.confinement.is_its_own(CONFINED) {
            return Ok(None);
        }
        let site = Site { code: job.code, interpreter, role: Role::Sensor, limits: &self.host_limits };
        let request = Request {
            task: Task::Poll { sensor: row.id, brief: job.brief() },
            entrypoint: &row.entrypoint,
            variables: &job.sensor.variables,
            time: job.time,
            output_limit: self.output_limit,
        };
        let stderr = Captured::within(self.limits(job).stderr);
        let mut heard = Heard { output: PollOutput::default(), stderr, spent };
        let answer = self.hosts.turn(&site, &request, &mut heard, stop).await;
        heard.read(answer, job, self.output_limit)
    }
}

impl Heard<'_> {
    /// The poll's output, or why there is none.
    fn read(
        self,
        answer: Result<Option<Answer>, TurnError>,
        job: &Job<'_>,
        output_limit: usize,
    ) -> Result<Option<PollOutput>, PollError> {
        let (mut output, stderr) = (self.output, self.stderr.into_bytes());
        match answer {
            Ok(None | Some(Answer::Unfit { .. })) => Ok(None),
            Ok(Some(Answer::Done)) => {
                output.log.insert_str(0, &String::from_utf8_lossy(&stderr));
                Ok(Some(output))
            }
            Ok(Some(Answer::Failed { message, traceback })) => {
                Err(PollError::Reported { message, traceback })
            }
            Err(error) => Err(in_words(error, job, last_lines(&stderr), output_limit)),
        }
    }
}

fn in_words(error: TurnError, job: &Job<'_>, reason: String, output_limit: usize) -> PollError {
    match error {
        TurnError::Prepare(error) => PollError::Prepare(error),
        TurnError::Stopped => PollError::Stopped,
        TurnError::TimedOut => PollError::TimedOut { limit: job.time, reason },
        TurnError::TooMuchOutput => PollError::TooMuchOutput { limit: output_limit },
        error @ (TurnError::Ended(_)
        | TurnError::Output(_)
        | TurnError::NoHost { .. }
        | TurnError::NotStarted { .. }) => PollError::Host { error: Box::new(error), reason },
    }
}
