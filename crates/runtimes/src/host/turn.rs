//! One turn of one host: the request, and what comes until its answer.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use attune_core::output::OutputError;
use attune_core::protocol::Message;
use attune_process::{Said, Stream};
use tokio::time::sleep;

use super::request::{Answer, Listener, Request};
use super::warm::Warm;

/// Why a turn has no answer.
#[derive(Debug)]
pub(super) enum Interrupted {
    Ended,
    TimedOut,
    TooMuchOutput,
    Output(OutputError),
    Stopped,
}

impl Warm {
    /// Whether it can take a turn: it lives, and says nothing that nobody asked for. What was written to stderr between two
    /// turns is nobody's log.
    pub(super) fn is_ready(&mut self) -> bool {
        loop {
            let next = pin!(self.output.next());
            match next.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => return true,
                Poll::Ready(Some(Said::Stderr(chunk))) => {
                    tracing::debug!(
                        host.launcher = self.launcher,
                        bytes = chunk.len(),
                        "A warm host wrote between two turns"
                    );
                }
                Poll::Ready(Some(Said::Closed(Stream::Stderr))) => {}
                Poll::Ready(Some(Said::Stdout(_) | Said::Closed(Stream::Stdout)) | None) => return false,
            }
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
        self.decoder.rules_mut().ask(self.turns, request.task.turn());
        let line = request.task.line(self.turns, file, request.variables);
        let Self { input, output, decoder, messages, .. } = self;
        let mut clock = pin!(sleep(request.time));
        // Not waited for before anything is read: the host may have more to say than its pipe holds. That it does not take
        // all of the request shows in what it says.
        let (mut sending, mut is_sent) = (pin!(input.send(&line)), false);
        let mut room = request.output_limit;
        loop {
            tokio::select! {
                biased;
                _ = &mut sending, if !is_sent => is_sent = true,
                () = &mut stop => return Err(Interrupted::Stopped),
                () = &mut clock => return Err(Interrupted::TimedOut),
                said = output.next() => match said {
                    Some(Said::Stdout(chunk)) => {
                        room = room.checked_sub(chunk.len()).ok_or(Interrupted::TooMuchOutput)?;
                        decoder.push(chunk, messages).map_err(Interrupted::Output)?;
                        if let Some(answer) = heard(messages, listener) {
                            listener.log(output.drain_stderr());
                            return Ok(answer);
                        }
                    }
                    Some(Said::Stderr(chunk)) => listener.log(chunk),
                    Some(Said::Closed(Stream::Stderr)) => {}
                    Some(Said::Closed(Stream::Stdout)) | None => return Err(Interrupted::Ended),
                },
            }
        }
    }
}

/// Passes messages on up to the answer, after which the rules of the protocol let nothing come.
fn heard(messages: &mut Vec<Message>, listener: &mut impl Listener) -> Option<Answer> {
    let mut answer = None;
    for message in messages.drain(..) {
        match message {
            Message::Done => answer = Some(Answer::Done),
            Message::Error { message, traceback } => answer = Some(Answer::Failed { message, traceback }),
            Message::Unfit { reason } => answer = Some(Answer::Unfit { reason }),
            other => listener.message(other),
        }
    }
    answer
}
