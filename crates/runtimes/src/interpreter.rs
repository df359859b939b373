//! The real interpreter behind what PATH has.
//!
//! A version manager puts a shim on PATH that looks up at each start which version is meant, and that takes ten times as
//! long as the interpreter itself. So a runtime may say how its binary prints the path of the real one; that is asked once,
//! kept while the binary is the same file and the answer is not too old, since another choice of version changes no file.
//!
//! # Failure
//! Whatever goes wrong, what was found runs, as it would have without the question; a warning says so once per answer.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use attune_process::{Capture, LaunchError, Limits, Program, StreamLimit};
use tokio::sync::OnceCell;

use crate::identity::Identity;
use crate::resolve::is_program;
use crate::variables::{of_this_process, variables};

/// How long the binary may take to answer.
const TIME: Duration = Duration::from_secs(10);
/// What it may print.
const OUTPUT: usize = 64 * 1024;

type Question = (Identity, Vec<String>);

/// Answers of this process, each asked for once.
#[derive(Debug)]
pub(crate) struct Interpreters {
    ttl: Duration,
    known: Mutex<HashMap<Question, Arc<Answer>>>,
}

#[derive(Debug)]
struct Answer {
    since: Instant,
    real: OnceCell<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("it did not start")]
    Launch(#[from] LaunchError),
    #[error("it {0}")]
    Ended(attune_process::Outcome),
    #[error("the first line that it printed is no path of a program")]
    NoProgram,
}

impl Interpreters {
    /// Nothing is known yet; answers hold for `ttl`.
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, known: Mutex::default() }
    }

    /// The interpreter that `binary` stands for when it is run with `args`, else `binary` itself.
    pub(crate) async fn real(&self, runtime: &str, binary: &Path, args: &[String]) -> PathBuf {
        // What can not be looked at is found out by whoever runs it.
        let Ok(identity) = Identity::of(binary) else { return binary.to_owned() };
        let answer = self.answer((identity, args.to_vec()));
        // In a box: to ask takes a lot of room, and every run would carry it along.
        answer.real.get_or_init(|| Box::pin(ask(runtime, binary, args))).await.clone()
    }

    fn answer(&self, question: Question) -> Arc<Answer> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, answer| answer.is_good(self.ttl));
        let new = || Arc::new(Answer { since: Instant::now(), real: OnceCell::new() });
        Arc::clone(known.entry(question).or_insert_with(new))
    }
}

impl Answer {
    fn is_good(&self, ttl: Duration) -> bool {
        self.since.elapsed() < ttl && self.real.get().is_none_or(|real| is_program(real))
    }
}

async fn ask(runtime: &str, binary: &Path, args: &[String]) -> PathBuf {
    match first_line(binary, args).await {
        Ok(real) => {
            tracing::debug!(runtime.ref = runtime, binary = %binary.display(), real = %real.display(), "Resolved an interpreter");
            real
        }
        Err(fault) => {
            tracing::warn!(runtime.ref = runtime, binary = %binary.display(), error = %fault,
                "A binary does not say which interpreter it stands for, so it runs itself");
            binary.to_owned()
        }
    }
}

async fn first_line(binary: &Path, args: &[String]) -> Result<PathBuf, Fault> {
    let limits = Limits {
        time: TIME,
        stdout: StreamLimit::kill(OUTPUT),
        no_new_privileges: true,
        ..Limits::default()
    };
    let mut capture = Capture::within(&limits);
    let cwd = PathBuf::from("/");
    let env = variables(of_this_process, &[], &cwd, []);
    let command = std::iter::once(binary.into()).chain(args.iter().map(OsString::from));
    let program = Program { argv: command.collect(), env, cwd, stdin: Vec::new(), limits };
    let finished = attune_process::run(program, &mut capture, std::future::pending()).await?;
    if !finished.outcome.is_success() {
        return Err(Fault::Ended(finished.outcome));
    }
    let mut line = capture.stdout.into_bytes();
    line.truncate(line.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(line.len()));
    let real = PathBuf::from(OsString::from_vec(line));
    if is_program(&real) { Ok(real) } else { Err(Fault::NoProgram) }
}
