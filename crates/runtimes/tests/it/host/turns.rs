//! One turn after the other: what is asked, and what is answered.

use serde_json::{Value, json};

use super::{done, event, message, with_host};
use crate::language::{Language, in_each_language};

in_each_language!(
    a_host_polls_again_and_again,
    contact_is_part_of_the_turn_in_which_it_was_made,
    whatever_a_poll_does_the_next_one_works,
    variables_and_the_directory_are_those_of_one_request,
    a_sensor_that_reads_its_context_finds_it,
    an_action_gives_its_result,
    a_file_that_runs_by_itself_is_unfit,
    what_a_poll_leaves_behind_has_no_voice,
    an_order_of_a_later_version_is_none,
);

fn a_host_polls_again_and_again(language: &Language) {
    with_host(
        language,
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

fn contact_is_part_of_the_turn_in_which_it_was_made(language: &Language) {
    with_host(
        language,
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

fn whatever_a_poll_does_the_next_one_works(language: &Language) {
    with_host(
        language,
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
            for expected in language.pick(python, javascript) {
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

fn variables_and_the_directory_are_those_of_one_request(language: &Language) {
    with_host(
        language,
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

fn a_sensor_that_reads_its_context_finds_it(language: &Language) {
    with_host(
        language,
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

fn an_action_gives_its_result(language: &Language) {
    with_host(
        language,
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

fn a_file_that_runs_by_itself_is_unfit(language: &Language) {
    with_host(
        language,
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

fn what_a_poll_leaves_behind_has_no_voice(language: &Language) {
    with_host(
        language,
        "import threading\ngo, gone = threading.Event(), threading.Event()\ncalls = 0\n\
         def left(contact):\n    go.wait()\n    print('left behind')\n    contact()\n    gone.set()\n    raise ValueError('late')\n\
         def poll_sensor(config, state, contact):\n    global calls\n    calls += 1\n    \
         if calls == 1:\n        threading.Thread(target=left, args=[contact]).start()\n        threading.Thread(target=threading.Event().wait).start()\n    \
         else:\n        go.set()\n        gone.wait()\n    yield {'calls': calls}\n",
        "let calls = 0;\nlet emit;\nasync function* poll_sensor(config, state, contact) {\n  calls += 1;\n  \
         if (calls === 1) {\n    setInterval(() => {}, 1000);\n    setTimeout(() => { throw new Error('first'); }, 1);\n    \
         await new Promise((resolve) => (emit = resolve));\n    contact();\n    yield { calls: 'late' };\n    return;\n  }\n  \
         emit();\n  await new Promise(setImmediate);\n  yield { calls };\n}\n",
        |host, path| {
            host.poll(path);
            for calls in 2..=3 {
                let mut answer = host.poll(path);
                answer.retain(|message| message["type"] != "state");
                assert_eq!(answer, [event(&json!({"calls": calls})), done()]);
            }
            host.talk.say(&json!({"type": "stop"}));
            assert_eq!(host.talk.next(), None);
            assert!(host.talk.ends_well());
        },
    );
}

fn an_order_of_a_later_version_is_none(language: &Language) {
    with_host(
        language,
        "def poll_sensor(config): yield {}\n",
        "const poll_sensor = () => ({});\n",
        |host, path| {
            host.talk.say(&json!({"type": "later", "id": 77}));
            assert_eq!(host.poll(path), [event(&json!({})), done()]);
        },
    );
}
