//! The wrappers of the core pack, running streams, in Python and in JavaScript.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{with_little, wrapped};
use crate::talk::{Files, Talk};

/// A stream that said hello, with the state `{"n": 1}`.
fn start(path: &Path, hello: bool) -> Talk {
    let home = tempfile::tempdir().unwrap();
    let context = home.path().join("context.json");
    std::fs::write(&context, json!({"mode": "stream"}).to_string()).unwrap();
    let mut command = wrapped(path);
    with_little(&mut command).env("SENSOR_CONTEXT", context).current_dir(&home);
    let mut talk = Talk::start_as_it_is(&mut command, home);
    talk.say(
        &json!({"type": "start", "protocol": 1, "sensor": "demo.s", "config": {"limit": 3}, "state": {"n": 1},
        "triggers": ["demo.t"], "trigger_params": [params(0)]}),
    );
    if hello {
        let Some(message) = talk.next() else { panic!("{}", talk.end()) };
        assert_eq!(message["type"], "hello");
    }
    talk
}

fn params(depth: u64) -> Value {
    json!({"trigger": "demo.t", "params": {"depth": depth}})
}

fn event(payload: &Value) -> Value {
    json!({"type": "event", "payload": payload})
}

/// The same sensor in several ways.
fn each(sources: &[(&str, &str)], test: impl Fn(Talk)) {
    for (name, source) in sources {
        let files = Files::new();
        test(start(&files.write(name, source), true));
    }
}

/// The next message that is no heartbeat.
fn next(talk: &mut Talk) -> Option<Value> {
    loop {
        let message = talk.next()?;
        if message["type"] != "heartbeat" {
            return Some(message);
        }
    }
}

#[test]
fn events_leave_at_once_and_stop_ends_the_loop() {
    let python = "def stream_sensor(attune):\n    n = attune.config['limit']\n    while attune.wait(0.01):\n        n += 1\n        \
                  attune.emit(n=n, sensor=attune.sensor)\n";
    let python_script = "import attune\nfrom attune import emit, config\nn = config['limit']\nwhile attune.wait(0.01):\n    n += 1\n    \
                         emit({'n': n, 'sensor': attune.sensor})\n";
    let script = "async function stream_sensor(attune) {\n  let n = attune.config.limit;\n  while (await attune.wait(0.01)) {\n    \
                  n += 1;\n    attune.emit({ n, sensor: attune.sensor });\n  }\n}\n";
    let requires = "const attune = require('attune');\n(async () => {\n  let n = attune.config.limit;\n  \
                    while (await attune.wait(0.01)) attune.emit({ n: ++n, sensor: attune.sensor });\n})();\n";
    let imports = "import attune from 'attune';\nlet n = attune.config.limit;\n\
                   while (await attune.wait(0.01)) attune.emit({ n: ++n, sensor: attune.sensor });\n";
    let all =
        [("a.py", python), ("b.py", python_script), ("a.js", script), ("b.js", requires), ("b.mjs", imports)];
    each(&all, |mut talk| {
        for n in 4..6 {
            assert_eq!(next(&mut talk), Some(event(&json!({"n": n, "sensor": "demo.s"}))));
        }
        talk.say(&json!({"type": "stop"}));
        while let Some(message) = next(&mut talk) {
            assert_eq!(message["type"], "event");
        }
        assert!(talk.ends_well());
    });
}

#[test]
fn what_it_yields_is_sent_and_stop_ends_that_too() {
    let python = "def stream_sensor(attune):\n    try:\n        while True:\n            attune.wait(0.01)\n            \
                  yield {'a': 1}\n    finally:\n        print('tidy')\n";
    let asynchronous = "import asyncio\nasync def stream_sensor(attune):\n    try:\n        while True:\n            \
                        await asyncio.sleep(0.01)\n            yield {'a': 1}\n    finally:\n        print('tidy')\n";
    let script = "async function* stream_sensor(attune) {\n  try {\n    for (;;) {\n      await attune.wait(0.01);\n      \
                  yield { a: 1 };\n    }\n  } finally {\n    console.log('tidy');\n  }\n}\n";
    each(&[("a.py", python), ("b.py", asynchronous), ("a.js", script)], |mut talk| {
        assert_eq!(next(&mut talk), Some(event(&json!({"a": 1}))));
        talk.say(&json!({"type": "stop"}));
        while next(&mut talk).is_some() {}
        assert_eq!(talk.end(), "tidy\n");
    });
}

#[test]
fn contact_is_said_when_it_is_made() {
    let python = "def stream_sensor(attune):\n    attune.contact()\n";
    let script = "function stream_sensor(attune) { attune.contact(); }\n";
    each(&[("a.py", python), ("a.js", script)], |mut talk| {
        assert_eq!(next(&mut talk), Some(json!({"type": "contact"})));
        assert_eq!(next(&mut talk), None);
    });
}

#[test]
fn a_checkpoint_keeps_the_state_and_its_ack_is_awaited() {
    let python = "def stream_sensor(attune):\n    attune.state['n'] += 1\n    attune.emit({'first': True})\n    \
                  kept = attune.checkpoint(wait=True)\n    attune.emit(kept=kept)\n    attune.checkpoint({'n': 7})\n";
    let script = "async function stream_sensor(attune) {\n  attune.state.n += 1;\n  attune.emit({ first: true });\n  \
                  const kept = await attune.checkpoint();\n  attune.emit({ kept });\n  attune.checkpoint({ n: 7 });\n}\n";
    each(&[("a.py", python), ("a.js", script)], |mut talk| {
        assert_eq!(next(&mut talk), Some(event(&json!({"first": true}))));
        assert_eq!(next(&mut talk), Some(json!({"type": "checkpoint", "id": 1, "state": {"n": 2}})));
        // It waits, alive.
        assert_eq!(talk.next(), Some(json!({"type": "heartbeat"})));
        talk.say(&json!({"type": "ack", "checkpoint": 1}));
        assert_eq!(next(&mut talk), Some(event(&json!({"kept": true}))));
        assert_eq!(next(&mut talk), Some(json!({"type": "checkpoint", "id": 2, "state": {"n": 7}})));
        assert_eq!(next(&mut talk), None);
        assert!(talk.ends_well());
    });
}

#[test]
fn checkpoints_are_announced_if_the_file_makes_any() {
    let files = Files::new();
    for (name, source, checkpoints) in [
        ("a.py", "def stream_sensor(attune):\n    attune.emit(a=1)\n", false),
        ("b.py", "# checkpoint(\ndef stream_sensor(attune):\n    save = attune.log\n    save('x')\n", false),
        ("c.py", "from attune import checkpoint\ncheckpoint()\n", true),
        ("a.js", "const stream_sensor = (attune) => attune.emit({ a: 1 });\n", false),
        ("b.js", "const stream_sensor = ({ checkpoint }) => checkpoint();\n", true),
        (
            "c.js",
            "const { emit } = require('attune');\nconst later = () => require('attune').checkpoint();\n",
            true,
        ),
    ] {
        let hello = start(&files.write(name, source), false).next();
        assert_eq!(
            hello,
            Some(json!({"type": "hello", "protocol": 1, "checkpoints": checkpoints})),
            "{name}"
        );
    }
}

#[test]
fn parameters_of_rules_reach_it_while_it_runs() {
    let python = "def stream_sensor(attune):\n    while attune.wait(60):\n        \
                  attune.emit(asked=attune.trigger_params, changed=[attune.changed(), attune.changed()])\n";
    let script = "async function stream_sensor(attune) {\n  while (await attune.wait(60)) {\n    \
                  attune.emit({ asked: attune.trigger_params, changed: [attune.changed(), attune.changed()] });\n  }\n}\n";
    each(&[("a.py", python), ("a.js", script)], |mut talk| {
        assert_eq!(talk.next(), Some(json!({"type": "heartbeat"})));
        for depth in 1..3 {
            talk.say(&json!({"type": "params", "trigger_params": [params(depth)]}));
            let payload = json!({"asked": [params(depth)], "changed": [true, false]});
            assert_eq!(next(&mut talk), Some(event(&payload)));
        }
        talk.say(&json!({"type": "later"}));
        talk.say(&json!({"type": "stop"}));
        assert_eq!(next(&mut talk), None);
        assert!(talk.ends_well());
    });
}

#[test]
fn parameters_that_came_before_it_waits_end_the_wait_too() {
    let python = "import time\ndef stream_sensor(attune):\n    while attune.trigger_params[0]['params']['depth'] == 0:\n        \
                  time.sleep(0.01)\n    attune.emit(goes_on=[attune.wait(600), attune.wait(0.01)])\n";
    let script = "async function stream_sensor(attune) {\n  while (attune.trigger_params[0].params.depth === 0)\n    \
                  await new Promise((resolve) => setTimeout(resolve, 10));\n  \
                  attune.emit({ goes_on: [await attune.wait(600), await attune.wait(0.01)] });\n}\n";
    each(&[("a.py", python), ("a.js", script)], |mut talk| {
        talk.say(&json!({"type": "params", "trigger_params": [params(1)]}));
        assert_eq!(next(&mut talk), Some(event(&json!({"goes_on": [true, true]}))));
        assert_eq!(next(&mut talk), None);
        assert!(talk.ends_well());
    });
}

#[test]
fn prints_are_log_and_never_messages() {
    let python = "import os, sys\nprint('module')\ndef stream_sensor(attune):\n    print('{\"type\":\"event\"}')\n    \
                  os.system('echo child; cat')\n    attune.log('said', 'warning')\n    attune.emit(stdin=sys.stdin.read())\n";
    let script = "console.log('module');\nfunction stream_sensor(attune) {\n  console.log('{\"type\":\"event\"}');\n  \
                  require('child_process').spawnSync('sh', ['-c', 'echo child; cat'], { stdio: 'inherit' });\n  \
                  attune.log('said', 'warning');\n  attune.emit({ stdin: require('fs').readFileSync(0, 'utf8') });\n}\n";
    each(&[("a.py", python), ("a.js", script)], |mut talk| {
        assert_eq!(next(&mut talk), Some(json!({"type": "log", "level": "warning", "message": "said"})));
        assert_eq!(next(&mut talk), Some(event(&json!({"stdin": ""}))));
        assert_eq!(talk.end(), "module\n{\"type\":\"event\"}\nchild\n");
    });
}

#[test]
fn a_failure_is_the_last_word() {
    let files = Files::new();
    for (name, source, message) in [
        ("a.py", "def stream_sensor(attune):\n    attune.emit(a=1 / 0)\n", "ZeroDivisionError: "),
        ("b.py", "def stream_sensor(attune):\n    raise SystemExit(3)\n", "the sensor called exit(3)"),
        ("c.py", "def stream_sensor(attune):\n    attune.emit(a={1})\n", "the event can not be JSON: "),
        ("d.py", "def stream_sensor(attune):\n    return 5\n", "stream_sensor returned int; "),
        ("e.py", "def stream_sensor(attune:\n", "SyntaxError: "),
        (
            "f.py",
            "def stream_senor(a): pass\n",
            "the file defines no function stream_sensor and does not import attune; did you mean",
        ),
        (
            "g.py",
            "def stream_sensor(attune):\n    getattr(attune, 'checkpoint')()\n",
            "checkpoint is only found when",
        ),
        ("a.js", "async function stream_sensor(attune) {\n  throw new Error('a');\n}\n", "Error: a"),
        ("b.js", "const stream_sensor = () => process.exit(3);\n", "the sensor called process.exit(3)"),
        (
            "c.js",
            "const stream_sensor = (attune) => attune.emit({ a: new Set() });\n",
            "the event can not be JSON: ",
        ),
        ("d.js", "const stream_sensor = () => new Promise(() => {});\n", "stream_sensor waits for a promise"),
        ("e.js", "function stream_sensor( {\n", "SyntaxError: "),
        (
            "f.js",
            "function stream_senor(a) {}\n",
            "the file defines no function stream_sensor and does not require attune; did you mean",
        ),
        (
            "g.js",
            "const stream_sensor = (attune) => setTimeout(() => attune['checkpoint'](), 1) && new Promise(() => {});\n",
            "checkpoint is only found when",
        ),
    ] {
        let mut talk = start(&files.write(name, source), false);
        let mut last = None;
        while let Some(said) = next(&mut talk) {
            last = Some(said);
        }
        let last = last.unwrap();
        assert!(last["message"].as_str().unwrap().starts_with(message), "{name}: {last}");
        assert!(last["type"] == "error" && !talk.ends_well(), "{name}");
        assert!(!last["traceback"].as_str().unwrap().contains("core/runtimes"), "{name}: {last}");
    }
}
