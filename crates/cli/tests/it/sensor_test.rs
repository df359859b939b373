//! One poll of a sensor by hand: no database, the words of the service.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::home::{Home, assert_terminal};
use crate::pack;

/// A sensor that gives good and bad events, remembers, and logs; ways to fail; and code that no sensor names.
const MORE: [(&str, &str); 14] = [
    ("triggers/count.yaml", "ref: demo.count\npayload_schema: {properties: {n: {type: integer}}}\n"),
    (
        "sensors/mixed.yaml",
        "ref: demo.mixed\nruntime: core.python\nentrypoint: sensors/mixed.py\ntriggers: [demo.seen, demo.count]\nconfig: {most: 2, token: hush}\nparam_schema: {properties: {most: {type: integer}, token: {secret: true}}}\n",
    ),
    (
        "sensors/mixed.py",
        "def poll_sensor(config, state):\n    print('up to', config['most'])\n    state['polls'] = state.get('polls', 0) + 1\n    yield {'what': 'a bird', 'event_key': 'k'}\n    for n in range(config['most']):\n        yield {'event_type': 'count', 'n': n}\n    yield {'event_type': 'count', 'n': 'many'}\n    yield {'n': float('nan')}\n",
    ),
    (
        "sensors/broken.yaml",
        "ref: demo.broken\nruntime: core.python\nentrypoint: sensors/broken.py\ntriggers: [demo.seen]\n",
    ),
    ("sensors/broken.py", "def poll_sensor(config):\n    return config['pump']\n"),
    (
        "sensors/slow.yaml",
        "ref: demo.slow\nruntime: core.shell\nentrypoint: sensors/slow.sh\ntriggers: [demo.seen]\ntimeout: 60\n",
    ),
    ("sensors/slow.sh", "#!/bin/sh\necho waiting for the pump >&2\nsleep 60\n"),
    (
        "sensors/slower.yaml",
        "ref: demo.slower\nruntime: core.shell\nentrypoint: sensors/slow.sh\ntriggers: [demo.seen]\n",
    ),
    (
        "sensors/stream.yaml",
        "ref: demo.stream\nmode: stream\nruntime: core.shell\nentrypoint: sensors/stream.sh\ntriggers: [demo.count]\n",
    ),
    (
        "sensors/stream.sh",
        "read -r start\necho '{\"type\":\"hello\",\"protocol\":1,\"checkpoints\":true}'\necho 'a note' >&2\nn=${start##*'\"n\":'}\nn=${n%%[!0-9]*}\nfor i in 1 2 3; do n=$((n + 1)); echo '{\"type\":\"event\",\"payload\":{\"n\":'$n'}}'; [ $i = 3 ] || echo '{\"type\":\"checkpoint\",\"id\":1,\"state\":{\"n\":'$n'}}'; done\nread -r ack; read -r ack; read -r stop; exit 3\n",
    ),
    (
        "runtimes/lua.yaml",
        "ref: demo.lua\nname: Lua\nexecution: {extensions: [lua]}\ndistributions:\n  verification:\n    commands: [{binary: no-such-lua, args: [-v]}]\n",
    ),
    (
        "sensors/moon.yaml",
        "ref: demo.moon\nruntime: demo.lua\nentrypoint: lib/moon.lua\ntriggers: [demo.seen]\n",
    ),
    ("lib/moon.lua", ""),
    ("lib/tool.sh", "echo '{\"events\": [{\"what\": \"by itself\"}]}'\n"),
];

fn home_with_pack() -> Home {
    let home = Home::new();
    pack::write(home.path(), "demo", &[&pack::DEMO[..], &MORE[..]].concat());
    home
}

#[test]
fn a_sensor_is_tried_without_a_database() {
    let home = home_with_pack();
    std::fs::write(
        home.path().join("alone.py"),
        "def poll_sensor(config):\n    return {'n': config.get('n', 1)}\n",
    )
    .unwrap();
    std::fs::write(home.path().join("alone.cob"), "").unwrap();
    let terminal = home.terminal(&[
        &["sensor", "test", "demo/sensors/look.yaml"],
        &[
            "sensor",
            "test",
            "demo/sensors/mixed.py",
            "--config",
            r#"{"most": 1}"#,
            "--state",
            r#"{"polls": 6}"#,
        ],
        &["sensor", "test", "demo.look"],
        &["sensor", "test", "demo/lib/tool.sh"],
        &["sensor", "test", "alone.py", "--config", r#"{"n": 2}"#],
    ]);
    let streams =
        home.terminal(&[&["sensor", "test", "demo.stream", "--seconds", "1", "--state", r#"{"n": 7}"#]]);
    assert_terminal!("stream", streams);
    let failing = home.terminal(&[
        &["sensor", "test", "demo/sensors/mixed.yaml", "--config", r#"{"most": "all"}"#],
        &["sensor", "test", "demo/sensors/slow.yaml", "--timeout", "0.2"],
        &["sensor", "test", "demo/sensors/moon.yaml"],
    ]);
    let refused = home.terminal(&[
        &["sensor", "test", "demo/sensors/slow.sh"],
        &["sensor", "test", "demo/rules/loud_note.yaml"],
        &["sensor", "test", "demo.lok"],
        &["sensor", "test", "other.look"],
        &["sensor", "test", "none.py"],
        &["sensor", "test", "alone.cob"],
        &["sensor", "test", "alone.py", "--runtime", "cobol"],
        &["sensor", "test", "alone.py", "--config", "{n}"],
        &["sensor", "test", "alone.py", "--timeout", "0"],
    ]);
    assert_terminal!("sensor_of_a_file", [terminal, failing, refused].concat());

    let broken = home.attune(&["sensor", "test", "demo/sensors/broken.yaml"]);
    assert!(broken.stdout.contains("/demo/sensors/broken.py\", line 2, in poll_sensor"), "{broken}");
    assert!(broken.code == 1 && broken.stdout.ends_with("KeyError: 'pump'\n"), "{broken}");
    let shell = home.attune(&["sensor", "test", "alone.py", "--runtime", "bash"]);
    assert!(shell.stdout.contains("it exited with code 2: "), "{shell}");

    let requires =
        "ref: demo\nname: Demo\nversion: 1.2.0\nrequires: [{command: no-such-jq, install: get no-such-jq}]\n";
    pack::write(home.path(), "demo", &[("pack.yaml", requires)]);
    let lack = home.attune(&["sensor", "test", "demo.look"]);
    assert!(
        lack.stdout.contains("pack demo requires the command `no-such-jq`, which is not on PATH"),
        "{lack}"
    );
    assert_eq!(lack.code, 1);

    pack::write(home.path(), "demo", &[("sensors/look.yaml", "ref: demo.look\nrun_time: core.shell\n")]);
    assert_terminal!("sensor_of_a_faulty_pack", home.attune(&["sensor", "test", "demo.look"]));
}

#[test]
fn a_poll_is_told_in_full_to_programs() {
    let home = home_with_pack();
    let report = home.json(&["sensor", "test", "demo/sensors/mixed.yaml"]);
    let events: Vec<_> = report["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["trigger"], &event["refused"]))
        .collect();
    let (seen, count, good) = (&json!("demo.seen"), &json!("demo.count"), &Value::Null);
    let bad = &json!("payload: n: \"many\" is not of type \"integer\"");
    assert_eq!(events, [(seen, good), (count, good), (count, good), (count, bad)]);
    assert_eq!(
        (&report["events"][0]["key"], &report["state"], &report["log"]),
        (&json!("k"), &json!({"polls": 1}), &json!("up to 2\n"))
    );
    assert_eq!(report["set_aside"].as_array().unwrap().len(), 1);
    assert!(report["duration_ms"].as_f64().unwrap() > 0.0 && report["error"].is_null());
}

#[test]
fn a_sensor_of_the_running_attune_is_tried_by_its_ref() {
    let (home, _database) = Home::with_database();
    pack::write(home.path(), "demo", &[&pack::DEMO[..], &MORE[..]].concat());
    let _up = home.up(&["--packs", "demo"]);
    std::fs::remove_dir_all(home.path().join("demo")).unwrap();
    let terminal = home.terminal(&[&["sensor", "test", "demo.look"], &["sensor", "test", "demo.lok"]]);
    assert_terminal!("sensor_of_a_ref", terminal);
    // A secret does not leave the running Attune; it is given here.
    let hidden = home.json(&["sensor", "test", "demo.mixed"]);
    assert_eq!(hidden["notes"].as_array().unwrap().len(), 1);
    let report = home.json(&["sensor", "test", "demo.mixed", "--config", r#"{"token": "mine"}"#]);
    assert_eq!((report["events"].as_array().unwrap().len(), &report["notes"]), (4, &json!([])), "{report:#}");
}

#[test]
fn a_saved_file_is_tried_again_with_the_state_that_was_left() {
    let home = home_with_pack();
    let code = home.path().join("demo/sensors/mixed.py");
    // What the command itself writes into the pack is no change of it.
    let notes = std::fs::File::create(home.path().join("demo/notes")).unwrap();
    let mut command = home.command(&["sensor", "test", "demo.mixed", "--watch", "-o", "json"]);
    command.arg("--data-dir").arg(home.data_dir()).stdout(Stdio::piped()).stderr(notes);
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut polls = || {
        let mut text = String::new();
        while !text.ends_with("\n}\n") {
            assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "it ended: {text}");
        }
        serde_json::from_str::<Value>(&text).unwrap()["state"]["polls"].clone()
    };
    assert_eq!(polls(), 1);
    let text = std::fs::read_to_string(&code).unwrap();
    std::fs::write(&code, text.replace("+ 1", "+ 10")).unwrap();
    assert_eq!(polls(), 11);
    child.kill().unwrap();
    child.wait().unwrap();
}
