//! A pool of hosts with the machine's interpreters and the hosts of the core pack.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attune_common::config::Config;
use attune_core::pack::Runtime;
use attune_core::protocol::{Brief, Message};
use attune_core::runtime::execution::Role;
use attune_core::usage::Spent;
use attune_process::Limits;
use attune_runtimes::host::{Answer, Hosts, Listener, Request, Settings, Site, Task, TurnError, lasting};
use attune_runtimes::launch::{Code, Interpreter, Launcher};
use attune_runtimes::tool::Tool;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::language::Language;
use crate::program::packs;

/// Everything of this machine that polls need.
pub(super) struct Machine {
    pub(super) hosts: Hosts,
    pub(super) launcher: Arc<Launcher>,
    _cache: TempDir,
}

/// A pack of one's own, with what runs it. Its files are named without what says their language.
pub(super) struct Pack {
    language: &'static Language,
    directory: TempDir,
    pub(super) code: Code,
    interpreter: Interpreter,
}

/// What one turn gave.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) events: Vec<Value>,
    pub(super) result: Option<String>,
    pub(super) log: String,
    pub(super) spent: Spent,
}

impl Listener for Heard {
    fn message(&mut self, message: Message) {
        match message {
            Message::Event(event) => self.events.push(event.unwrap()),
            Message::Result(result) => self.result = Some(result),
            _ => {}
        }
    }

    fn log(&mut self, chunk: &[u8]) {
        self.log.push_str(&String::from_utf8_lossy(chunk));
    }

    fn spent(&mut self, spent: Spent) {
        self.spent = spent;
    }
}

/// Room for more hosts than any test starts, and two places in the fast lane.
pub(super) fn settings() -> Settings {
    Settings { lanes: 2, ..Settings::within(2_000_000_000) }
}

impl Machine {
    pub(super) fn new(settings: Settings) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let config = Config { cache_dir: cache.path().to_owned(), ..Config::default() };
        let launcher = Arc::new(Launcher::open(&config).unwrap());
        Self { hosts: Hosts::new(Arc::clone(&launcher), settings), launcher, _cache: cache }
    }

    /// A pack with these files, whose hosts have further keys.
    pub(super) async fn pack_with(
        &self,
        language: &'static Language,
        files: &[(&str, &str)],
        keys: Value,
    ) -> Pack {
        let mut host = json!({"args": language.host_args("{pack}")});
        host.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        let directory = tempfile::tempdir().unwrap();
        for (name, source) in files {
            std::fs::write(directory.path().join(language.file(name)), source).unwrap();
        }
        let code = Code {
            pack: "demo".to_owned(),
            directory: directory.path().canonicalize().unwrap(),
            digest: None,
            tool: tool(language, &json!({"host": host})),
            runtime_pack: Some(packs().join("core")),
        };
        let interpreter = self.launcher.wait(&code, Role::Sensor, |_| ()).await.unwrap();
        Pack { language, directory, code, interpreter }
    }

    pub(super) async fn pack(&self, language: &'static Language, files: &[(&str, &str)]) -> Pack {
        self.pack_with(language, files, json!({})).await
    }

    /// Polls within a time, until `stop`.
    pub(super) async fn poll_until(
        &self,
        pack: &Pack,
        (sensor, file): (i64, &str),
        time: Duration,
        stop: impl Future<Output = ()> + Send,
    ) -> (Result<Option<Answer>, TurnError>, Heard) {
        let (nothing, list, variables) = (json!({}), json!([]), BTreeMap::new());
        let brief = Brief {
            sensor: "demo.s",
            config: &nothing,
            state: &nothing,
            triggers: &[],
            trigger_params: &list,
        };
        let request = Request {
            task: Task::Poll { sensor, brief },
            entrypoint: &pack.language.file(file),
            variables: &variables,
            time,
            output_limit: 100_000,
        };
        let limits = lasting(Limits { no_new_privileges: true, ..Limits::default() });
        let site =
            Site { code: &pack.code, interpreter: &pack.interpreter, role: Role::Sensor, limits: &limits };
        let mut heard = Heard::default();
        let answer = self.hosts.turn(&site, &request, &mut heard, stop).await;
        (answer, heard)
    }

    pub(super) async fn try_poll(
        &self,
        pack: &Pack,
        sensor: i64,
        file: &str,
    ) -> (Result<Option<Answer>, TurnError>, Heard) {
        self.poll_until(pack, (sensor, file), Duration::from_secs(20), pending()).await
    }

    /// A poll that goes well.
    pub(super) async fn poll(&self, pack: &Pack, sensor: i64, file: &str) -> Heard {
        let (answer, heard) = self.try_poll(pack, sensor, file).await;
        assert_eq!(answer.unwrap(), Some(Answer::Done), "{heard:?}");
        heard
    }

    /// The error of a poll, and its log.
    pub(super) async fn error(&self, pack: &Pack, sensor: i64, file: &str) -> (String, String) {
        let (answer, heard) = self.try_poll(pack, sensor, file).await;
        (answer.unwrap_err().to_string(), heard.log)
    }

    /// The process of a poll, which tells it.
    pub(super) async fn pid(&self, pack: &Pack, sensor: i64, file: &str) -> u64 {
        self.poll(pack, sensor, file).await.events[0]["pid"].as_u64().unwrap()
    }
}

impl Pack {
    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(self.language.file(name))
    }

    pub(super) fn write(&self, name: &str, source: &str) {
        std::fs::write(self.path(name), source).unwrap();
    }
}

/// The language's runtime, with further keys of its execution.
pub(super) fn tool(language: &Language, keys: &Value) -> Arc<Tool> {
    let mut execution = json!({"args": [format!("{{pack}}/{}", language.wrapper)], "protocol": "ndjson"});
    execution.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let runtime = Runtime {
        r#ref: language.r#ref.to_owned(),
        name: language.r#ref.to_owned(),
        description: None,
        distributions: json!({"verification": {"commands": [{"binary": language.binary}]}}),
        installation: None,
        execution,
        aliases: Vec::new(),
    };
    Arc::new(Tool::defined(&runtime, None))
}

/// Waits for something that has to happen soon.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether the process lives, or at least is not forgotten.
pub(super) fn exists(pid: u64) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}
