//! One turn of one host: the request, and what comes until its answer.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use attune_core::protocol::Message;
use attune_core::usage::Spent;
use attune_process::{Said, Stream};
use tokio::time::sleep;

use super::error::TurnError;
use super::request::{Answer, Listener, Request};
use super::warm::Warm;

/// Why a turn has no answer.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// The host ended.
    Ended,
    /// The host lives, but not for long.
    Because(TurnError),
}

impl From<TurnError> for Interrupted {
    fn from(error: TurnError) -> Self {
        Self::Because(error)
    }
}

impl Warm {
    /// Whether it can take a turn: it lives, and says nothing that nobody asked for. What was written to stderr between two
    /// turns is nobody's log.
    pub(super) fn is_ready(&mut self) -> bool {
        self.forget_stderr();
        loop {
            let next = pin!(self.output.next());
            match next.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => return true,
                Poll::Ready(Some(Said::Stderr(_) | Said::Closed(Stream::Stderr))) => {}
                Poll::Ready(Some(Said::Stdout(_) | Said::Closed(Stream::Stdout)) | None) => return false,
            }
        }
    }

    /// Reads it as far as it was written: that it can be read may not have been heard of yet.
    fn forget_stderr(&mut self) {
        let launcher = self.launcher;
        loop {
            let bytes = self.output.drain_stderr().len();
            if bytes == 0 {
                return;
            }
            tracing::debug!(host.launcher = launcher, bytes, "A warm host wrote between two turns");
        }
    }

    /// Takes one turn. Unless it is answered, nothing more can be asked of this host.
    pub(super) async fn turn(
        &mut self,
        request: &Request<'_>,
        file: &str,
        listener: &mut impl Listener,
        mut stop: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<Answer, Interrupted> {
        self.turns += 1;
        let id = self.id();
        self.decoder.rules_mut().ask(id, request.task.turn());
        let line = request.task.line(id, file, request.variables);
        let Self { input, output, decoder, messages, spent, .. } = self;
        *spent = Spent::default();
        let mut clock = pin!(sleep(request.time));
        // Not waited for before anything is read: the host may have more to say than its pipe holds. That it does not take
        // all of the request shows in what it says.
        let (mut sending, mut is_sent) = (pin!(input.send(&line)), false);
        let mut room = request.output_limit;
        loop {
            tokio::select! {
                biased;
                _ = &mut sending, if !is_sent => is_sent = true,
                () = &mut stop => return Err(TurnError::Stopped.into()),
                () = &mut clock => return Err(TurnError::TimedOut.into()),
                said = output.next() => match said {
                    Some(Said::Stdout(chunk)) => {
                        spent.output += chunk.len() as u64;
                        room = room.checked_sub(chunk.len()).ok_or(TurnError::TooMuchOutput)?;
                        decoder.push(chunk, messages).map_err(TurnError::Output)?;
                        if let Some((answer, cpu)) = heard(messages, listener) {
                            let rest = output.drain_stderr();
                            (spent.cpu, spent.output) = (cpu, spent.output + rest.len() as u64);
                            listener.log(rest);
                            return Ok(answer);
                        }
                    }
                    Some(Said::Stderr(chunk)) => {
                        spent.output += chunk.len() as u64;
                        listener.log(chunk);
                    }
                    Some(Said::Closed(Stream::Stderr)) => {}
                    Some(Said::Closed(Stream::Stdout)) | None => return Err(Interrupted::Ended),
                },
            }
        }
    }
}

/// Passes messages on up to the answer, after which the rules of the protocol let nothing come. With it comes what processor
/// time the turn took, as the host says.
fn heard(messages: &mut Vec<Message>, listener: &mut impl Listener) -> Option<(Answer, Option<Duration>)> {
    let mut answer = None;
    for message in messages.drain(..) {
        match message {
            Message::Done { cpu } => answer = Some((Answer::Done, cpu)),
            Message::Error { message, traceback, cpu } => {
                answer = Some((Answer::Failed { message, traceback }, cpu));
            }
            Message::Unfit { reason } => answer = Some((Answer::Unfit { reason }, None)),
            other => listener.message(other),
        }
    }
    answer
}
