//! A machine with nothing installed, a pack, and what was seen of its builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use attune_common::config::Config;
use attune_core::pack::{Pack, Runtime};
use attune_core::runtime::execution::Role;
use attune_process::{Capture, Limits};
use attune_runtimes::directory;
use attune_runtimes::environment::{Environments, Observer, Owner, Progress};
use attune_runtimes::launch::{Code, Found, Interpreter, Launcher, PrepareError};
use attune_runtimes::tool::Tool;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::packs;

/// Longer than anything here takes on a busy machine, downloads included.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) struct Machine {
    pub(super) directory: TempDir,
    launcher: Launcher,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn see(&self, _: &Owner, progress: &Progress) {
        self.0.lock().unwrap().push(progress.to_string());
    }
}

impl Machine {
    pub(super) fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(directory: TempDir) -> Self {
        fs::create_dir_all(directory.path().join("pack")).unwrap();
        let (launcher, seen) = launcher(directory.path());
        Self { directory, launcher, seen }
    }

    /// The same machine after a restart of the service.
    pub(super) fn restarted(self) -> Self {
        Self::at(self.directory)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of the pack.
    pub(super) fn write(&self, name: &str, content: &str) {
        fs::write(self.path("pack").join(name), content).unwrap();
    }

    /// The pack's code, run by a runtime with this `execution`.
    pub(super) fn code(&self, execution: &Value) -> Code {
        code(self.directory.path(), execution)
    }

    pub(super) async fn find(&self, code: &Code) -> Result<Found, PrepareError> {
        self.launcher.find(code, Role::Action).await
    }

    pub(super) async fn wait(&self, code: &Code) -> Result<Interpreter, PrepareError> {
        let waited = self.launcher.wait(code, Role::Action, |_| ());
        tokio::time::timeout(PATIENCE, waited).await.unwrap()
    }

    pub(super) async fn error(&self, code: &Code) -> String {
        self.wait(code).await.unwrap_err().to_string()
    }

    /// What a program of the pack prints, once its environment is there.
    pub(super) async fn run(&self, code: &Code, entrypoint: &str) -> String {
        let interpreter = self.wait(code).await.unwrap();
        let prepared = self.launcher.prepare(code, &interpreter, entrypoint, |_| Ok(Vec::new())).unwrap();
        let limits = Limits { time: PATIENCE, ..Limits::default() };
        let mut capture = Capture::within(&limits);
        let program = prepared.program(b"{}".to_vec(), limits);
        let finished = attune_process::run(program, &mut capture, std::future::pending()).await.unwrap();
        let stderr = String::from_utf8(capture.stderr.into_bytes()).unwrap();
        assert!(finished.outcome.is_success(), "{stderr}");
        String::from_utf8(capture.stdout.into_bytes()).unwrap().trim().to_owned()
    }

    /// What happened to environments since the last call.
    pub(super) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.0.lock().unwrap())
    }

    /// What is on disk of attempts, complete or not.
    pub(super) fn attempts(&self) -> Vec<PathBuf> {
        let inside = |directory: PathBuf| {
            fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path())
        };
        let places = inside(self.path("environments")).filter(|path| path.is_dir());
        places.flat_map(inside).filter(|path| path.is_dir() && !path.is_symlink()).collect()
    }
}

pub(super) fn launcher(machine: &Path) -> (Launcher, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let environments = Environments::observed(&machine.join("environments"), seen.clone());
    let config = Config { cache_dir: machine.join("cache"), ..Config::default() };
    (Launcher::with(&config, environments).unwrap(), seen)
}

pub(super) fn code(machine: &Path, execution: &Value) -> Code {
    let runtime = Runtime {
        r#ref: "demo.x".to_owned(),
        name: "X".to_owned(),
        description: None,
        distributions: json!({"verification": {"always_available": true}}),
        installation: None,
        execution: execution.clone(),
        aliases: Vec::new(),
    };
    Code {
        pack: "demo".to_owned(),
        directory: machine.join("pack"),
        digest: None,
        tool: Arc::new(Tool::defined(&runtime, None)),
        runtime_pack: Some(packs().join("core")),
    }
}

/// How the core pack runs a language.
pub(super) fn core_execution(name: &str) -> Value {
    let files = directory::read(&packs().join("core")).unwrap();
    let core = Pack::parse(files.contents()).unwrap();
    core.runtimes.iter().find(|runtime| runtime.r#ref == name).unwrap().execution.clone()
}

/// Waits for a condition that another process brings about.
pub(super) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
