//! What the tests share: programs of a few words, run with short clocks, and a look at who is still there.
//!
//! Every process of a test carries a mark of that test in its environment, so that survivors are found by looking at
//! all processes, not by trusting the crate's own idea of its tree.

use std::ffi::OsString;
use std::fs;
use std::future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use attune_process::{Capture, Finished, LaunchError, Limits, Output, Program, run};
use tokio::sync::oneshot;

/// A time that no test reaches, however busy the machine is.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Forks twice with a session in between, so that neither parent, group nor session leads back to the program.
pub(crate) const DOUBLE_FORK: &str = r"
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        os.close(1); os.close(2)
        time.sleep(1000)
    os._exit(0)
os.wait()
";

/// The mark that all processes of one test inherit.
pub(crate) struct Mark(String);

impl Mark {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// A shell script that carries the mark.
    pub(crate) fn shell(&self, script: &str) -> Program {
        self.program(&["/bin/sh", "-c", script])
    }

    /// A program that carries the mark.
    pub(crate) fn program(&self, argv: &[&str]) -> Program {
        Program {
            argv: argv.iter().map(OsString::from).collect(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("MARK".into(), self.name().into())],
            cwd: PathBuf::from("/"),
            stdin: Vec::new(),
            limits: Limits { grace: Duration::from_millis(300), ..Limits::default() },
        }
    }

    /// The processes that carry it: those that the program started, and their launcher, which has the same
    /// environment. A zombie has none any more; [`zombies`] finds those.
    pub(crate) fn bearers(&self) -> Vec<u32> {
        let needle = format!("MARK={}", self.name());
        let carries = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == needle.as_bytes())
        };
        processes().into_iter().filter(carries).collect()
    }

    /// Waits until the mark is carried by `count` processes.
    pub(crate) fn await_bearers(&self, count: usize) {
        until(&format!("{count} processes"), || self.bearers().len() == count);
    }
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Launchers of this process that have ended and were not reaped.
pub(crate) fn zombies() -> Vec<u32> {
    let is_ours = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        after_name.starts_with(&format!("Z {} ", std::process::id()))
    };
    processes().into_iter().filter(is_ours).collect()
}

/// Looks again and again until `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::yield_now();
    }
}

/// Runs a program to its end and keeps what it wrote.
pub(crate) async fn run_captured(program: Program) -> (Result<Finished, LaunchError>, String, String) {
    let mut capture = Capture::within(&program.limits);
    let finished = run(program, &mut capture, future::pending()).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (finished, text(capture.stdout.into_bytes()), text(capture.stderr.into_bytes()))
}

/// Keeps standard output, and says so when the first of it has come.
struct Listener {
    heard: Vec<u8>,
    first: Option<oneshot::Sender<()>>,
}

impl Output for Listener {
    fn stdout(&mut self, chunk: &[u8]) {
        self.heard.extend_from_slice(chunk);
        if let Some(first) = self.first.take() {
            first.send(()).unwrap();
        }
    }

    fn stderr(&mut self, _: &[u8]) {}
}

/// Runs a program and stops it as soon as it has written something.
pub(crate) async fn run_until_it_speaks(program: Program) -> (Finished, String) {
    let (first, spoken) = oneshot::channel();
    let mut listener = Listener { heard: Vec::new(), first: Some(first) };
    let finished = run(program, &mut listener, async { spoken.await.unwrap() }).await.unwrap();
    (finished, String::from_utf8(listener.heard).unwrap())
}
