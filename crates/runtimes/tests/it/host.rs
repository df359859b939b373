//! The warm hosts of the core pack: each test in Python and in JavaScript, where both have what it is about.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::program::packs;
use crate::talk::{Files, Talk};

/// A host, asked like the service asks it.
struct Host {
    talk: Talk,
    asked: u64,
}

impl Host {
    fn start(language: &str, args: &[&str]) -> Self {
        let (binary, program): (_, &[&str]) = match language {
            "py" => ("python3", &["-u", "core/runtimes/python/host.py"]),
            _ => ("node", &["core/runtimes/nodejs/host.cjs"]),
        };
        let (program, options) = program.split_last().unwrap();
        let mut command = Command::new(binary);
        command.args(options).arg(packs().join(program)).args(args);
        let mut talk = Talk::start(&mut command);
        assert_eq!(talk.next(), Some(json!({"type": "hello", "protocol": 1})));
        Self { talk, asked: 0 }
    }

    /// Everything that is answered, without the id and the processor time, which are checked.
    fn ask(&mut self, mut order: Value) -> Vec<Value> {
        self.asked += 1;
        order["id"] = self.asked.into();
        self.talk.say(&order);
        let mut all = Vec::new();
        loop {
            let mut message = self.talk.next().expect("the host lives");
            let last = ["done", "error", "unfit"].contains(&message["type"].as_str().unwrap());
            if last {
                let id = message.as_object_mut().unwrap().remove("id");
                assert_eq!(id, Some(self.asked.into()));
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

/// The same sensor in both languages, and a host for each.
fn each(python: &str, javascript: &str, test: impl Fn(&mut Host, &Path)) {
    for (language, source) in [("py", python), ("js", javascript)] {
        let files = Files::new();
        let path = files.write(&format!("code.{language}"), source);
        test(&mut Host::start(language, &[]), &path);
    }
}

#[test]
fn a_host_polls_again_and_again() {
    each(
        "count = 0\ndef poll_sensor(config, state):\n    global count\n    count += 1\n    state['n'] += 1\n    \
         yield {'count': count, 'limit': config['limit'], 'n': state['n']}\n",
        "let count = 0;\nfunction poll_sensor(config, state) {\n  count += 1;\n  state.n += 1;\n  \
         return { count, limit: config.limit, n: state.n };\n}\n",
        |host, path| {
            for count in 1..=3 {
                let state = json!({"type": "state", "state": {"n": 2}});
                let expected = [event(&json!({"count": count, "limit": 3, "n": 2})), state, done()];
                assert_eq!(host.poll(path), expected);
            }
        },
    );
}

#[test]
fn contact_is_part_of_the_turn_in_which_it_was_made() {
    each(
        "def poll_sensor(config, state, contact):\n    contact()\n    return []\n",
        "function poll_sensor(config, state, contact) { contact(); return []; }\n",
        |host, path| {
            for _ in 0..2 {
                let said = host.poll(path);
                assert_eq!((&said[0], said.last()), (&json!({"type": "contact"}), Some(&done())));
            }
        },
    );
}

#[test]
fn whatever_a_poll_does_the_next_one_works() {
    each(
        "import os, sys\ncount = 0\ndef fork():\n    if os.fork() == 0: raise SystemExit(0)\n    os.wait()\n\
         ways = [lambda: sys.exit(3), lambda: 1 // 0, lambda: 'text', lambda: [{'a': {1}}], fork, lambda: sys.stdout.close()]\n\
         def poll_sensor(config):\n    global count\n    count += 1\n    return ways[count - 1]()\n",
        "let count = 0;\nconst never = new Promise(() => {});\nconst later = (then) => (setTimeout(then, 1), never);\n\
         const fail = (message) => { throw new Error(message); };\nconst ways = [\n  () => process.exit(3),\n  () => fail('a'),\n  \
         () => 'text',\n  () => [{ a: new Set() }],\n  () => never,\n  () => later(() => fail('b')),\n  \
         () => later(() => process.exit()),\n  () => void Promise.reject(new Error('c')),\n];\n\
         async function poll_sensor(config) {\n  count += 1;\n  return ways[count - 1] ? ways[count - 1]() : null;\n}\n",
        |host, path| {
            let python: &[&str] = &[
                "the sensor called exit(3)",
                "ZeroDivisionError: ",
                "poll_sensor returned str;",
                "event 1 can not be JSON: it holds a value of the type builtins.set",
            ];
            let javascript: &[&str] = &[
                "the sensor called process.exit(3)",
                "Error: a",
                "poll_sensor returned a string;",
                "event 1 can not be JSON: it holds, as \"a\", a Set;",
                "poll_sensor waits for a promise",
                "Error: b",
                "the sensor called process.exit(0)",
                "Error: c",
            ];
            let is_python = path.extension().unwrap() == "py";
            for expected in if is_python { python } else { javascript } {
                let answer = host.poll(path);
                assert!(message(&answer).starts_with(expected), "{expected}: {answer:?}");
                let traceback = answer.last().unwrap()["traceback"].as_str().unwrap();
                assert!(!traceback.contains("core/runtimes"), "{traceback}");
            }
            assert_eq!(host.poll(path), [done()]);
            assert_eq!(host.poll(path), [done()]);
        },
    );
}

#[test]
fn what_is_printed_is_log_and_stdin_is_empty() {
    for (language, source) in [
        (
            "py",
            "import os, sys\nprint('module')\ndef poll_sensor(config):\n    print('{\"type\":\"event\"}')\n    \
             os.system('echo child; cat')\n    os.write(1, b'raw\\n')\n    yield {'stdin': sys.stdin.read()}\n",
        ),
        (
            "js",
            "const fs = require('fs');\nconsole.log('module');\nfunction poll_sensor(config) {\n  \
             console.log('{\"type\":\"event\"}');\n  \
             require('child_process').spawnSync('sh', ['-c', 'echo child; cat'], { stdio: 'inherit' });\n  \
             fs.writeSync(1, 'raw\\n');\n  return { stdin: fs.readFileSync(0, 'utf8') };\n}\n",
        ),
    ] {
        let files = Files::new();
        let path = files.write(&format!("code.{language}"), source);
        let mut host = Host::start(language, &[]);
        for _ in 0..2 {
            assert_eq!(host.poll(&path), [event(&json!({"stdin": ""})), done()]);
        }
        let poll = "{\"type\":\"event\"}\nchild\nraw\n";
        assert_eq!(host.talk.end(), format!("module\n{poll}{poll}"));
    }
}

#[test]
fn variables_and_the_directory_are_those_of_one_request() {
    each(
        "import os\ndef poll_sensor(config):\n    os.chdir('/')\n    return {'asked': os.environ['ASKED']}\n\
         def run():\n    return [os.environ.get('ASKED'), os.environ.get('SENSOR_CONTEXT'), os.getcwd()]\n",
        "function poll_sensor(config) {\n  process.chdir('/');\n  return { asked: process.env.ASKED };\n}\n\
         const run = () => [process.env.ASKED || null, process.env.SENSOR_CONTEXT || null, process.cwd()];\n",
        |host, path| {
            assert_eq!(host.poll(path), [event(&json!({"asked": "yes"})), done()]);
            let home = host.talk.home.path().canonicalize().unwrap();
            let result = json!({"type": "result", "result": [null, null, home]});
            assert_eq!(host.run(path, &json!({})), [result, done()]);
        },
    );
}

#[test]
fn a_sensor_that_reads_its_context_finds_it() {
    each(
        "import json, os\ndef poll_sensor(config):\n    with open(os.environ['SENSOR_CONTEXT']) as file:\n        \
         return json.load(file)\n",
        "const { readFileSync } = require('fs');\n\
         const poll_sensor = () => JSON.parse(readFileSync(process.env.SENSOR_CONTEXT, 'utf8'));\n",
        |host, path| {
            let context = json!({"ref": "demo.s", "sensor": "demo.s", "config": {"limit": 3}, "state": {"n": 1},
                "triggers": ["demo.t"], "trigger_params": []});
            assert_eq!(host.poll(path), [event(&context), done()]);
            assert_eq!(std::fs::read_dir(&host.talk.home).unwrap().count(), 0);
        },
    );
}

#[test]
fn an_action_gives_its_result() {
    each(
        "import sys\nasync def run(a, b=2):\n    if a == 0: sys.exit(0)\n    if a == 1: sys.exit(1)\n    \
         return float('nan') if a == 2 else {'sum': a + b}\n",
        "async function run({ a, b = 2 }) {\n  if (a < 2) process.exit(a);\n  return a === 2 ? NaN : { sum: a + b };\n}\n",
        |host, path| {
            let result = |value: Value| [json!({"type": "result", "result": value}), done()];
            assert_eq!(host.run(path, &json!({"a": 5})), result(json!({"sum": 7})));
            assert_eq!(host.run(path, &json!({"a": 0})), result(json!(null)));
            assert!(message(&host.run(path, &json!({"a": 1}))).starts_with("the action called "));
            assert!(message(&host.run(path, &json!({"a": 2}))).starts_with("the result can not be JSON"));
        },
    );
}

#[test]
fn a_file_that_runs_by_itself_is_unfit() {
    each(
        "print('{\"events\": []}')\ndef pol_sensor(config): pass\n",
        "console.log('{\"events\": []}');\nfunction pol_sensor(config) {}\n",
        |host, path| {
            let reason = "the file defines no function poll_sensor; did you mean poll_sensor by pol_sensor?";
            for _ in 0..2 {
                assert_eq!(host.poll(path), [json!({"type": "unfit", "reason": reason})]);
            }
            assert_eq!(host.run(path, &json!({}))[0]["type"], "unfit");
            assert!(host.poll(&path.with_file_name("absent"))[0]["type"] == "error");
        },
    );
}

#[test]
fn a_file_that_changed_is_loaded_again_with_its_neighbours() {
    for (language, source, common) in [
        ("py", "import common\ndef poll_sensor(config):\n    return {'n': common.N}\n", "N = "),
        (
            "js",
            "const { N } = require('./common.js');\nconst poll_sensor = () => ({ n: N });\n",
            "exports.N = ",
        ),
        (
            "mjs",
            "const { N } = require('./common.cjs');\nexport const poll_sensor = () => ({ n: N });\n",
            "exports.N = ",
        ),
    ] {
        let files = Files::new();
        let mut host = Host::start(language, &[]);
        for n in 1..4 {
            let neighbour = format!("common.{}", language.replace('m', "c"));
            files.write(&neighbour, &format!("{common}{n}{}\n", " ".repeat(n)));
            let comment = if language == "py" { "#" } else { "//" };
            let path = files
                .write(&format!("code.{language}"), &format!("{source}{comment} {n} {}\n", ".".repeat(n)));
            for _ in 0..2 {
                assert_eq!(host.poll(&path), [event(&json!({"n": n})), done()], "{language}");
            }
        }
    }
}

#[test]
fn neighbours_of_one_name_are_told_apart() {
    let files = Files::new();
    let source = "import common\ncalls = 0\ndef poll_sensor(config):\n    global calls\n    calls += 1\n    \
                  import common as again\n    return {'who': common.WHO, 'again': again.WHO, 'calls': calls}\n";
    let (a, b) = (files.write("a/code.py", source), files.write("b/code.py", source));
    files.write("a/common.py", "WHO = 'a'\n");
    files.write("b/common.py", "WHO = 'b'\n");
    let mut host = Host::start("py", &[]);
    for calls in 1..4 {
        for (path, who) in [(&a, "a"), (&b, "b")] {
            assert_eq!(host.poll(path), [event(&json!({"who": who, "again": who, "calls": calls})), done()]);
        }
    }
}

#[test]
fn only_so_many_files_are_kept() {
    let python = "calls = 0\ndef poll_sensor(config):\n    global calls\n    calls += 1\n    return {'calls': calls}\n";
    let javascript = "let calls = 0;\nconst poll_sensor = () => ({ calls: (calls += 1) });\n";
    let module = "let calls = 0;\nexport const poll_sensor = () => ({ calls: (calls += 1) });\n";
    for (language, source) in [("py", python), ("js", javascript), ("mjs", module)] {
        let files = Files::new();
        let paths = ["a", "b", "c"].map(|name| files.write(&format!("{name}.{language}"), source));
        let mut host = Host::start(language, &["2"]);
        let mut calls = |file: usize| host.poll(&paths[file])[0]["payload"]["calls"].clone();
        assert_eq!([calls(0), calls(1), calls(0)], [1, 1, 2], "{language}");
        assert_eq!([calls(2), calls(0), calls(1)], [1, 3, 1], "{language}");
    }
}

#[test]
fn what_a_poll_leaves_behind_has_no_voice() {
    each(
        "import threading\ngo, gone = threading.Event(), threading.Event()\ncalls = 0\n\
         def left():\n    go.wait()\n    print('left behind')\n    gone.set()\n    raise ValueError('late')\n\
         def poll_sensor(config):\n    global calls\n    calls += 1\n    \
         if calls == 1:\n        threading.Thread(target=left).start()\n        threading.Thread(target=threading.Event().wait).start()\n    \
         else:\n        go.set()\n        gone.wait()\n    yield {'calls': calls}\n",
        "let calls = 0;\nlet emit;\nasync function* poll_sensor(config) {\n  calls += 1;\n  \
         if (calls === 1) {\n    setInterval(() => {}, 1000);\n    setTimeout(() => { throw new Error('first'); }, 1);\n    \
         await new Promise((resolve) => (emit = resolve));\n    yield { calls: 'late' };\n    return;\n  }\n  \
         emit();\n  await new Promise(setImmediate);\n  yield { calls };\n}\n",
        |host, path| {
            host.poll(path);
            assert_eq!(host.poll(path), [event(&json!({"calls": 2})), done()]);
            assert_eq!(host.poll(path), [event(&json!({"calls": 3})), done()]);
            host.talk.say(&json!({"type": "stop"}));
            assert_eq!(host.talk.next(), None);
            assert!(host.talk.ends_well());
        },
    );
}

#[test]
fn an_order_of_a_later_version_is_none() {
    each("def poll_sensor(config): yield {}\n", "const poll_sensor = () => ({});\n", |host, path| {
        host.talk.say(&json!({"type": "later", "id": 77}));
        assert_eq!(host.poll(path), [event(&json!({})), done()]);
    });
}
