//! One host as a process: how it starts and how it ends.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use attune_core::output::OutputError;
use attune_core::protocol::{Decoder, Host, Message, Order};
use attune_core::usage::Spent;
use attune_process::{End, Said, Stream, Talk, TalkIn, TalkOut, running};
use tokio::time::timeout;

use super::error::{Gone, StartFault, TurnError};
use super::recipe::Recipe;
use crate::launch::{Launcher, PrepareError, Prepared};

/// How long a host may take to end when it is told to.
const FAREWELL: Duration = Duration::from_secs(2);
/// What may still be heard of one that ends by itself.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// As much of the end of stderr as an error quotes.
const TAIL: usize = 2000;

/// A host that runs.
pub(super) struct Warm {
    pub(super) input: TalkIn,
    pub(super) output: TalkOut,
    pub(super) decoder: Decoder<Host>,
    /// Messages of one chunk; kept for its room.
    pub(super) messages: Vec<Message>,
    pub(super) turns: u64,
    ids: RandomState,
    /// What the turn that is under way, or was the last, took.
    pub(super) spent: Spent,
    /// Its processor time when it was started and that of each turn since; `None`: one did not say.
    pub(super) accounted: Option<Duration>,
    /// The ref of its runtime.
    pub(super) runtime: String,
    /// Below it is all that the host started.
    pub(super) launcher: u32,
    /// Its working directory has to live as long as it does.
    prepared: Prepared,
}

/// What came instead of hello.
enum Unheard {
    Ended,
    Output(OutputError),
}

impl Warm {
    /// Starts a host, and waits at most `limit` until it says that it is there.
    pub(super) async fn start(
        recipe: &Recipe,
        launcher: &Launcher,
        limit: Duration,
    ) -> Result<Box<Self>, TurnError> {
        let prepared = launcher.prepare_host(&recipe.code, &recipe.interpreter)?;
        let program = prepared.program(Vec::new(), recipe.limits.clone());
        let talk = attune_process::talk(program).await.map_err(PrepareError::from)?;
        let mut host = Box::new(Self::new(recipe, talk, prepared));
        let mut stderr = Vec::new();
        let fault = match timeout(limit, host.greet(&mut stderr)).await {
            Ok(Ok(())) => {
                host.accounted = running(host.launcher).map(|running| running.cpu);
                return Ok(host);
            }
            Ok(Err(Unheard::Ended)) => {
                let (ended, _) = host.ended(&mut |chunk| stderr.extend_from_slice(chunk)).await?;
                StartFault::Ended { ended, stderr: last_lines(&stderr) }
            }
            Ok(Err(Unheard::Output(error))) => StartFault::Output { error, stderr: last_lines(&stderr) },
            Err(_) => StartFault::Silent { limit, stderr: last_lines(&stderr) },
        };
        Err(TurnError::NotStarted { runtime: recipe.code.tool.r#ref.clone(), fault })
    }

    fn new(recipe: &Recipe, talk: Talk, prepared: Prepared) -> Self {
        let launcher = talk.launcher_pid();
        let (input, output) = talk.split();
        let (decoder, messages, runtime) = (Decoder::default(), Vec::new(), recipe.code.tool.r#ref.clone());
        let (spent, accounted, ids) = (Spent::default(), None, RandomState::new());
        Self {
            input,
            output,
            decoder,
            messages,
            turns: 0,
            ids,
            spent,
            accounted,
            runtime,
            launcher,
            prepared,
        }
    }

    /// The id of the turn that is under way, or was the last. The code in the host knows none but its own, and can not guess
    /// another; as a number it is exact in every language.
    pub(super) fn id(&self) -> u64 {
        self.ids.hash_one(self.turns) >> (u64::BITS - f64::MANTISSA_DIGITS)
    }

    async fn greet(&mut self, stderr: &mut Vec<u8>) -> Result<(), Unheard> {
        while !self.decoder.rules().is_idle() {
            match self.output.next().await {
                Some(Said::Stdout(chunk)) => {
                    self.decoder.push(chunk, &mut self.messages).map_err(Unheard::Output)?;
                }
                Some(Said::Stderr(chunk)) => keep_tail(stderr, chunk),
                Some(Said::Closed(Stream::Stderr)) => {}
                Some(Said::Closed(Stream::Stdout)) | None => return Err(Unheard::Ended),
            }
        }
        self.messages.clear();
        Ok(())
    }

    /// How it ended, after it closed its stdout, and all the processor time that it took; `hear` gets the rest of its stderr.
    pub(super) async fn ended(
        mut self,
        hear: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(Gone, Duration), PrepareError> {
        let rest = async {
            while let Some(said) = self.output.next().await {
                if let Said::Stderr(chunk) = said {
                    hear(chunk);
                }
            }
        };
        let lives_on = timeout(LAST_WORDS, rest).await.is_err();
        let how = if lives_on { End::Polite } else { End::Awaited(LAST_WORDS) };
        let finished = self.output.end(how).await?;
        drop(self.prepared);
        let gone = if lives_on { Gone::Silenced } else { Gone::By(finished.outcome) };
        Ok((gone, finished.usage.cpu()))
    }

    /// Ends it in the middle of a turn, and says what processor time it took in all. Afterwards it and everything that it
    /// started is gone.
    pub(super) async fn stop(self) -> Result<Duration, PrepareError> {
        let finished = self.output.end(End::Polite).await?;
        drop(self.prepared);
        Ok(finished.usage.cpu())
    }

    /// Asks it to end, and sees to it that it does.
    pub(super) async fn dismiss(mut self) {
        let asked = timeout(FAREWELL, self.input.send(&Order::Stop.line())).await;
        let how = if matches!(asked, Ok(Ok(()))) { End::Awaited(FAREWELL) } else { End::Now };
        self.input.close();
        // Whatever happened, it is gone.
        let _ = self.output.end(how).await;
        drop(self.prepared);
    }
}

impl fmt::Debug for Warm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Warm({} below {})", self.runtime, self.launcher)
    }
}

fn keep_tail(kept: &mut Vec<u8>, chunk: &[u8]) {
    kept.extend_from_slice(chunk);
    let excess = kept.len().saturating_sub(TAIL);
    kept.drain(..excess);
}

fn last_lines(stderr: &[u8]) -> String {
    let start = stderr.len().saturating_sub(TAIL);
    String::from_utf8_lossy(&stderr[start..]).trim().to_owned()
}
