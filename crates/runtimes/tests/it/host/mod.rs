//! The warm hosts of the core pack: each test in each language that has what it is about.

mod descriptors;
mod files;
mod turns;

use std::path::Path;

use serde_json::{Value, json};

use crate::language::Language;
use crate::talk::{Files, Talk};

/// A host, asked like the service asks it.
struct Host {
    talk: Talk,
    asked: u64,
}

impl Host {
    fn start(language: &Language, args: &[&str]) -> Self {
        let mut talk = Talk::start(&mut language.start_host(args));
        assert_eq!(talk.next(), Some(json!({"type": "hello", "protocol": 1, "ids": true})));
        Self { talk, asked: 0 }
    }

    /// Everything that is answered, without the ids and the processor time, which are checked.
    fn ask(&mut self, mut order: Value) -> Vec<Value> {
        self.asked += 1;
        order["id"] = self.asked.into();
        self.talk.say(&order);
        let mut all = Vec::new();
        loop {
            let mut message = self.talk.next().expect("the host lives");
            let id = message.as_object_mut().unwrap().remove("id");
            assert_eq!(id, Some(self.asked.into()), "{message}");
            let last = ["done", "error", "unfit"].contains(&message["type"].as_str().unwrap());
            if last {
                let cpu = message.as_object_mut().unwrap().remove("cpu_ms").and_then(|cpu| cpu.as_f64());
                assert!(cpu.is_some_and(|cpu| cpu >= 0.0), "{message}");
            }
            all.push(message);
            if last {
                return all;
            }
        }
    }

    fn poll(&mut self, file: &Path) -> Vec<Value> {
        self.ask(json!({"type": "poll", "sensor": "demo.s", "file": file, "config": {"limit": 3}, "state": {"n": 1},
            "triggers": ["demo.t"], "trigger_params": [], "env": {"ASKED": "yes"}}))
    }

    fn run(&mut self, file: &Path, params: &Value) -> Vec<Value> {
        self.ask(json!({"type": "run", "action": "demo.a", "file": file, "params": params, "env": {}}))
    }
}

fn done() -> Value {
    json!({"type": "done"})
}

fn event(payload: &Value) -> Value {
    json!({"type": "event", "payload": payload})
}

fn message(answer: &[Value]) -> &str {
    let last = answer.last().unwrap();
    assert_eq!(last["type"], "error", "{answer:?}");
    last["message"].as_str().unwrap()
}

/// A sensor in this language, and a host for it.
fn with_host(language: &Language, python: &str, javascript: &str, test: impl Fn(&mut Host, &Path)) {
    let files = Files::new();
    let path = files.write(&language.file("code"), language.pick(python, javascript));
    test(&mut Host::start(language, &[]), &path);
}
