//! What authors get wrong, and what they are told: one file of a good pack is replaced by a faulty one, and the command that
//! an author would type next is typed. The messages are the snapshot; each has to name the file or the cause.

use std::os::unix::fs::PermissionsExt;

use crate::home::{Home, assert_terminal};
use crate::pack;

/// A good pack with a sensor in each language.
const GOOD: [(&str, &str); 14] = [
    ("pack.yaml", "ref: watch\nname: Watch\nversion: 1.0.0\n"),
    (
        "triggers/file.yaml",
        "ref: watch.file\npayload_schema:\n  type: object\n  required: [name]\n  properties:\n    name: {type: string}\n",
    ),
    (
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensors/inbox.py\ntriggers: [watch.file]\nconfig: {directory: /tmp}\n",
    ),
    (
        "sensors/inbox.py",
        "def poll_sensor(config):\n    yield {\"event_type\": \"file\", \"name\": config[\"directory\"]}\n",
    ),
    (
        "sensors/disk.yaml",
        "ref: watch.disk\nruntime: core.shell\nentrypoint: sensors/disk.sh\ntriggers: [watch.file]\n",
    ),
    ("sensors/disk.sh", "#!/bin/sh\necho '{\"events\": [{\"name\": \"disk\"}]}'\n"),
    (
        "sensors/web.yaml",
        "ref: watch.web\nruntime: core.nodejs\nentrypoint: sensors/web.js\ntriggers: [watch.file]\n",
    ),
    ("sensors/web.js", "async function poll_sensor(config) {\n  return [{ name: \"web\" }];\n}\n"),
    (
        "sensors/beat.yaml",
        "ref: watch.beat\nruntime: core.native\nentrypoint: sensors/beat\ntriggers: [watch.file]\n",
    ),
    ("sensors/beat", "#!/bin/sh\necho '{\"events\": [{\"name\": \"beat\"}]}'\n"),
    (
        "actions/tell.yaml",
        "ref: watch.tell\nruntime: core.shell\nentrypoint: actions/tell.sh\nparam_schema:\n  required: [text]\n  properties:\n    text: {type: string}\n",
    ),
    ("actions/tell.sh", "cat\n"),
    (
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\nconditions:\n  - {field: payload.name, operator: contains, value: a}\naction: watch.tell\naction_params:\n  text: \"{{ event.payload.name }}\"\n",
    ),
    ("event.json", "{\"name\": \"a file\"}\n"),
];

/// What an author types after the mistake.
const VALIDATE: &[&str] = &["pack", "validate", "watch"];
const PYTHON: &[&str] = &["sensor", "test", "watch/sensors/inbox.py"];
const SHELL: &[&str] = &["sensor", "test", "watch/sensors/disk.sh"];
const NODE: &[&str] = &["sensor", "test", "watch/sensors/web.js"];
const NATIVE: &[&str] = &["sensor", "test", "watch/sensors/beat.yaml"];
const RULE: &[&str] = &["rule", "test", "watch/rules/tell.yaml", "--event", "watch/event.json"];

/// A mistake in the file of this path, and the command that tells of it.
type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);

const IN_DEFINITIONS: &[Mistake] = &[
    (
        "a typo in a key",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensors/inbox.py\ntrigers: [watch.file]\n",
        VALIDATE,
    ),
    (
        "a key that is indented too far",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\n  entrypoint: sensors/inbox.py\ntriggers: [watch.file]\n",
        VALIDATE,
    ),
    (
        "a tab",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensors/inbox.py\ntriggers: [watch.file]\nconfig:\n\tdirectory: /tmp\n",
        VALIDATE,
    ),
    (
        "a key that is there twice",
        "pack.yaml",
        "ref: watch\nname: Watch\nversion: 1.0.0\nname: Another\n",
        VALIDATE,
    ),
    ("a version of two numbers", "pack.yaml", "ref: watch\nname: Watch\nversion: 1.0\n", VALIDATE),
    ("a definition that ends in .yml", "triggers/more.yml", "ref: watch.more\n", VALIDATE),
    ("a ref of another pack", "triggers/file.yaml", "ref: wach.file\n", VALIDATE),
    ("capital letters in a ref", "triggers/more.yaml", "ref: watch.NewFile\n", VALIDATE),
    (
        "an entrypoint that is not there",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensor/inbox.py\ntriggers: [watch.file]\n",
        VALIDATE,
    ),
    (
        "a runtime that does not exist",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.pyhton\nentrypoint: sensors/inbox.py\ntriggers: [watch.file]\n",
        PYTHON,
    ),
    (
        "a sensor without triggers",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensors/inbox.py\n",
        VALIDATE,
    ),
    (
        "an interval with a unit",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensors/inbox.py\ntriggers: [watch.file]\npoll_interval: 5s\n",
        VALIDATE,
    ),
    (
        "a configuration that breaks its schema",
        "sensors/inbox.yaml",
        "ref: watch.inbox\nruntime: core.python\nentrypoint: sensors/inbox.py\ntriggers: [watch.file]\nconfig: {directory: 7}\nparam_schema:\n  properties:\n    directory: {type: string}\n",
        VALIDATE,
    ),
    (
        "a schema with a type that does not exist",
        "triggers/file.yaml",
        "ref: watch.file\npayload_schema:\n  properties:\n    name: {type: text}\n",
        VALIDATE,
    ),
    (
        "a trigger that does not exist",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.files\naction: watch.tell\n",
        VALIDATE,
    ),
    (
        "an unknown operator",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\nconditions:\n  - {field: payload.name, operator: begins_with, value: a}\naction: watch.tell\n",
        VALIDATE,
    ),
    (
        "a regular expression that is none",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\nconditions:\n  - {field: payload.name, operator: matches, value: \"*.csv\"}\naction: watch.tell\n",
        VALIDATE,
    ),
    (
        "a template that does not end",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\naction: watch.tell\naction_params:\n  text: \"{{ event.payload.name \"\n",
        VALIDATE,
    ),
    (
        "a template without quotes",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\naction: watch.tell\naction_params:\n  text: {{ event.payload.name }}\n",
        VALIDATE,
    ),
    (
        "a condition that never holds",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\nconditions:\n  - {field: payload.name, operator: ends_with, value: .csv}\naction: watch.tell\naction_params: {text: found}\n",
        RULE,
    ),
    (
        "a template that names another field",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\naction: watch.tell\naction_params:\n  text: \"found {{ event.payload.title }}\"\n",
        RULE,
    ),
    (
        "a parameter that the action does not take",
        "rules/tell.yaml",
        "ref: watch.tell_file\ntrigger: watch.file\naction: watch.tell\naction_params: {text: 7}\n",
        RULE,
    ),
];

const IN_CODE: &[Mistake] = &[
    (
        "a module that is not installed",
        "sensors/inbox.py",
        "import psutils\n\ndef poll_sensor(config):\n    yield {}\n",
        PYTHON,
    ),
    ("a syntax error", "sensors/inbox.py", "def poll_sensor(config)\n    yield {\"name\": \"a\"}\n", PYTHON),
    (
        "a function of another name",
        "sensors/inbox.py",
        "def poll_sensors(config):\n    yield {\"name\": \"a\"}\n",
        PYTHON,
    ),
    ("a forgotten yield", "sensors/inbox.py", "def poll_sensor(config):\n    {\"name\": \"a\"}\n", PYTHON),
    (
        "an event that is a text",
        "sensors/inbox.py",
        "def poll_sensor(config):\n    yield \"a new file\"\n",
        PYTHON,
    ),
    (
        "a value that is no JSON",
        "sensors/inbox.py",
        "def poll_sensor(config):\n    yield {\"name\": \"a\", \"tags\": {\"x\", }}\n",
        PYTHON,
    ),
    (
        "a key of the configuration that is not there",
        "sensors/inbox.py",
        "def poll_sensor(config):\n    yield {\"name\": config[\"path\"]}\n",
        PYTHON,
    ),
    (
        "a payload that breaks the trigger's schema",
        "sensors/inbox.py",
        "def poll_sensor(config):\n    yield {\"name\": 7}\n    yield {\"name\": \"b\"}\n",
        PYTHON,
    ),
    (
        "a loop without end",
        "sensors/inbox.py",
        "def poll_sensor(config):\n    while True:\n        pass\n",
        &["sensor", "test", "watch/sensors/inbox.py", "--timeout", "1"],
    ),
    ("a NUL in a file", "sensors/inbox.py", "# caf\u{0}\ndef poll_sensor(config):\n    yield {}\n", PYTHON),
    (
        "print debugging in a plain program",
        "sensors/disk.sh",
        "#!/bin/sh\necho starting\necho '{\"events\": []}'\n",
        SHELL,
    ),
    ("an object without events", "sensors/disk.sh", "#!/bin/sh\necho '{\"name\": \"disk\"}'\n", SHELL),
    ("half an object", "sensors/disk.sh", "#!/bin/sh\necho '{\"events\": [{\"name\": \"disk\"}'\n", SHELL),
    (
        "line ends of another system",
        "sensors/disk.sh",
        "#!/bin/sh\r\nif true; then\r\n  echo '{\"events\": []}'\r\nfi\r\n",
        SHELL,
    ),
    (
        "a command that is not installed",
        "sensors/disk.sh",
        "#!/bin/sh\nset -e\nlspciz | head\nlspciz\n",
        SHELL,
    ),
    ("an interpreter that does not exist", "sensors/beat", "#!/usr/bin/pyhton3\nprint('{}')\n", NATIVE),
    ("a first line without an interpreter", "sensors/beat", "echo '{\"events\": []}'\n", NATIVE),
    (
        "a forgotten return",
        "sensors/web.js",
        "async function poll_sensor(config) {\n  const events = [{ name: \"web\" }];\n}\n",
        NODE,
    ),
    (
        "a package that is not installed",
        "sensors/web.js",
        "async function poll_sensor(config) {\n  const got = require(\"got\");\n  return [];\n}\n",
        NODE,
    ),
    (
        "an exception",
        "sensors/web.js",
        "async function poll_sensor(config) {\n  return config.urls.map((url) => ({ name: url }));\n}\n",
        NODE,
    ),
];

/// What the terminal shows of each mistake.
fn told(mistakes: &[Mistake]) -> String {
    let home = Home::new();
    mistakes
        .iter()
        .flat_map(|mistake| [format!("# {}\n", mistake.0), tell(&home, mistake), "\n".into()])
        .collect()
}

fn tell(home: &Home, (_, path, text, command): &Mistake) -> String {
    let root = home.path().join("watch");
    if root.exists() {
        std::fs::remove_dir_all(&root).unwrap();
    }
    let mut files: Vec<_> = GOOD.into_iter().filter(|(other, _)| other != path).collect();
    files.push((path, text));
    pack::write(home.path(), "watch", &files);
    std::fs::set_permissions(root.join("sensors/beat"), PermissionsExt::from_mode(0o755)).unwrap();
    home.terminal(&[command])
}

#[test]
fn in_definitions() {
    assert_terminal!("mistakes_in_definitions", told(IN_DEFINITIONS));
}

#[test]
fn in_code() {
    assert_terminal!("mistakes_in_code", told(IN_CODE));
}

/// The corpus says something only if the pack without a mistake is told to be good.
#[test]
fn the_pack_without_a_mistake_is_good() {
    let home = Home::new();
    pack::write(home.path(), "watch", &GOOD);
    for command in [VALIDATE, PYTHON, SHELL, NODE, NATIVE, RULE] {
        let answer = home.attune(command);
        assert_eq!(answer.code, 0, "{command:?}: {answer}");
    }
}
