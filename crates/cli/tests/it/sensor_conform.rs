//! Programs of several languages, good and bad, held against the protocol.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::console::document;
use crate::home::{Home, assert_terminal};
use crate::pack;

/// A home with a file of code, which is executable.
fn home_with(name: &str, source: &str) -> Home {
    let home = Home::new();
    pack::write(home.path(), ".", &[(name, source)]);
    home
}

/// What `attune sensor conform` finds, and its exit code.
fn conform(home: &Home, arguments: &[&str]) -> (Value, i32) {
    let answer = home.attune(&[&["sensor", "conform", "-o", "json"], arguments].concat());
    (serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{answer}")), answer.code)
}

/// The checks that passed, and the one that failed with its words.
fn judged(found: &Value) -> (Vec<&str>, Vec<(&str, &str)>) {
    let checks = found["checks"].as_array().unwrap();
    let (passed, failed): (Vec<_>, Vec<_>) = checks.iter().partition(|check| check["ok"] == true);
    let passed = passed.into_iter().map(|check| check["check"].as_str().unwrap());
    let failed =
        failed.into_iter().map(|check| (check["check"].as_str().unwrap(), check["detail"].as_str().unwrap()));
    (passed.collect(), failed.collect())
}

const RAW: &str = "#!/usr/bin/env python3\nimport json, sys\ndef say(**message):\n    print(json.dumps(message), flush=True)\n\
                   say(type='hello', protocol=1, checkpoints=True)\nstart = json.loads(sys.stdin.readline())\n\
                   say(type='event', payload={'sensor': start['sensor']})\nsay(type='checkpoint', id=['a', 1.0], state={'n': 1})\n\
                   for line in sys.stdin:\n    order = json.loads(line)\n    if order['type'] == 'ack': assert order['checkpoint'] == ['a', 1.0]\n    \
                   if order['type'] == 'stop': break\n";
const PERL: &str = "#!/usr/bin/perl\n$| = 1;\nmy $start = <STDIN>;\nprint qq({\"type\":\"event\",\"payload\":{\"from\":\"perl\"}}\\n);\n\
                    while (<STDIN>) { exit if /\"stop\"/; print qq({\"type\":\"heartbeat\"}\\n) }\n";
const PYTHON: &str = "def stream_sensor(attune):\n    while attune.wait(0.05):\n        attune.emit(limit=attune.config['limit'])\n        \
                      attune.checkpoint(wait=True)\n";
const JAVASCRIPT: &str = "async function stream_sensor(attune) {\n  while (await attune.wait(0.05)) {\n    \
                          attune.emit({ limit: attune.config.limit });\n    await attune.checkpoint();\n  }\n}\n";

#[test]
fn good_streams_conform_in_any_language() {
    let with_checkpoints = ["hello", "messages", "runs", "events", "checkpoints", "stops"];
    let without = ["hello", "messages", "runs", "events", "stops"];
    for (name, source, runtime, expected) in [
        ("raw.py", RAW, "core.native", &with_checkpoints[..]),
        ("stream.pl", PERL, "core.native", &without),
        ("stream.py", PYTHON, "python", &with_checkpoints),
        ("stream.js", JAVASCRIPT, "node", &with_checkpoints),
    ] {
        let home = home_with(name, source);
        let config = json!({"limit": 3}).to_string();
        let (found, code) =
            conform(&home, &[name, "--runtime", runtime, "--seconds", "1", "--config", &config]);
        assert_eq!(judged(&found), (expected.to_vec(), vec![]), "{name}");
        assert_eq!((code, &found["kind"], &found["failed"]), (0, &json!("stream"), &json!(0)));
    }
}

#[test]
fn the_stream_on_the_page_works_as_printed() {
    let page = document("docs/sensor-protocol.md");
    let (_, source) = page.split_once("```sh\n").unwrap();
    let (source, _) = source.split_once("```").unwrap();
    assert!(source.lines().count() <= 15);
    let home = home_with("count.sh", source);
    let (found, code) = conform(&home, &["count.sh", "--seconds", "1.5"]);
    assert_eq!((judged(&found).0.len(), judged(&found).1, code), (6, vec![], 0));

    let mut command = Command::new("sh");
    let child = command.arg("count.sh").current_dir(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let start =
        json!({"type": "start", "protocol": 1, "sensor": "demo.count", "config": {}, "state": {"n": 41}});
    write!(child.stdin.take().unwrap(), "{start}\n{}\n", json!({"type": "stop"})).unwrap();
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(output.ends_with("{\"type\":\"checkpoint\",\"id\":42,\"state\":{\"n\":42}}\n"), "{output}");
}

#[test]
fn what_a_bad_stream_does_wrong_is_named_with_its_line() {
    let careful = r#"echo '{"type":"hello","protocol":1,"checkpoints":true}'"#;
    let event = r#"echo '{"type":"event","payload":{"n":1}}'"#;
    let until_stop = "while read -r order; do case $order in *stop*) exit;; esac; done";
    for (lines, check, words) in [
        (vec!["echo starting up", until_stop], "messages", "number 1: the output is not JSON"),
        (vec!["echo starting up", until_stop], "messages", ": starting up"),
        (
            vec![r#"printf '{"type":"event","payload":{"n":NaN}}\n'"#, until_stop],
            "events",
            r#"{"type":"event","payload":{"n":NaN}}"#,
        ),
        (
            vec![r#"echo '{"type":"hello","protocol":2}'"#, until_stop],
            "hello",
            r#"only 1 is: {\"type\":\"hello\",\"protocol\":2}"#,
        ),
        (vec![event, careful, until_stop], "hello", "`hello` comes first or not at all"),
        (vec![r#"echo '{"type":"checkpoint"}'"#, until_stop], "messages", "did not announce"),
        (vec![r#"echo '{"type":"done"}'"#, until_stop], "messages", "`done` has no place in a stream"),
        (vec![r#"echo '{"type":"later"}'"#, until_stop], "messages", "no known `type`"),
        (vec![careful, event, until_stop], "checkpoints", "none, and 1 event came"),
        (vec![event, "echo 'no disk' >&2", "exit 3"], "runs", "it exited with code 3: no disk"),
        (vec![event, "exit 0"], "runs", "it exited with code 0"),
        (vec![r#"echo '{"type":"error","message":"no disk"}'"#, until_stop], "runs", "it failed: no disk"),
        (
            vec!["while read -r order; do case $order in *stop*) exit 4;; esac; done"],
            "stops",
            "it exited with code 4",
        ),
        (
            vec!["while read -r order; do :; done", event, "echo oops", "sleep 60"],
            "stops",
            "it ran on, 5 s after",
        ),
        (
            vec!["while read -r order; do case $order in *stop*) echo bye; exit;; esac; done"],
            "messages",
            ": bye",
        ),
        (
            vec!["while read -r order; do case $order in *conform*) exit 5;; esac; done"],
            "runs",
            "it exited with code 5",
        ),
    ] {
        let home = home_with("bad.sh", &format!("#!/bin/sh\n{}\n", lines.join("\n")));
        let (found, code) = conform(&home, &["bad.sh", "--seconds", "0.5"]);
        let (_, failed) = judged(&found);
        assert!(
            code == 1 && failed.len() == 1 && failed[0].0 == check && failed[0].1.contains(words),
            "{lines:?}: {found}"
        );
    }
}

const HOST: &str = r#"#!/bin/sh
echo '{"type":"hello","protocol":1}'
while read -r order; do
  id=$(expr "$order" : '.*"id":\([0-9]*\)')
  file=$(expr "$order" : '.*"file":"\([^"]*\)"')
  case $order in
    '{"type":"poll"'*)
      if [ -f "$file" ]; then
        echo '{"type":"event","payload":{"n":1}}'
        echo "{\"type\":\"done\",\"id\":$id}"
      else
        echo "{\"type\":\"error\",\"id\":$id,\"message\":\"there is no such file\"}"
      fi ;;
    '{"type":"run"'*) echo "{\"type\":\"unfit\",\"id\":$id,\"reason\":\"this host only polls\"}" ;;
    '{"type":"stop"'*) exit 0 ;;
  esac
done
"#;

/// A pack whose runtime has this host.
fn home_with_host(host: &str) -> Home {
    let home = Home::new();
    let runtime = "ref: odd.sh\nname: Odd\ndescription: A host in shell\nexecution:\n  extensions: [odd]\n  host: {args: ['{pack}/host.sh']}\n\
                   distributions:\n  verification:\n    commands: [{binary: sh, args: [-c, 'echo 1.0'], exit_code: 0, pattern: '1', priority: 1}]\n";
    pack::write(
        home.path(),
        "odd",
        &[
            ("pack.yaml", "ref: odd\nname: Odd\nversion: 1.0.0\n"),
            ("runtimes/sh.yaml", runtime),
            ("host.sh", host),
            ("polled.odd", ""),
        ],
    );
    home
}

#[test]
fn good_hosts_conform() {
    let home = home_with_host(HOST);
    let polled = ["sensor", "conform", "--host", "odd/polled.odd"];
    assert_terminal!("conform_host", home.terminal(&[&polled]));
    for (name, source) in [
        ("poll.py", "def poll_sensor(config):\n    yield {'n': 1}\n"),
        ("poll.js", "const poll_sensor = () => ({ n: 1 });\n"),
        ("poll.mjs", "export const poll_sensor = () => ({ n: 1 });\n"),
    ] {
        let (found, code) = conform(&home_with(name, source), &["--host", name]);
        assert_eq!((judged(&found).0.len(), judged(&found).1, code), (8, vec![], 0), "{name}");
    }
}

#[test]
fn what_a_bad_host_does_wrong_is_named_with_its_line() {
    for (wrong, right, check, words) in [
        ("", "echo '{\"type\":\"hello\",\"protocol\":1}'\n", "hello", "it says nothing"),
        (
            "echo '{\"type\":\"hello\",\"protocol\":7}'",
            "echo '{\"type\":\"hello\",\"protocol\":1}'",
            "hello",
            "is not known",
        ),
        ("echo ready", "echo '{\"type\":\"hello\",\"protocol\":1}'", "hello", "ready"),
        (
            "id=0",
            "id=$(expr \"$order\" : '.*\"id\":\\([0-9]*\\)')",
            "polls",
            "this is about another: {\\\"type\\\":\\\"done\\\",\\\"id\\\":0}",
        ),
        (
            "echo '{\"type\":\"event\",\"payload\":[1]}'",
            "echo '{\"type\":\"event\",\"payload\":{\"n\":1}}'",
            "polls",
            "it is not a JSON object, but a list: [1]",
        ),
        (
            "exit 1",
            "echo \"{\\\"type\\\":\\\"error\\\",\\\"id\\\":$id,\\\"message\\\":\\\"there is no such file\\\"}\"",
            "fails",
            "ended without `done`",
        ),
        (
            "'{\"type\":\"stop\"'*|*conform*) exit 0",
            "'{\"type\":\"stop\"'*) exit 0",
            "goes on",
            "ended without `done`",
        ),
        ("*conform*) echo later", "'{\"type\":\"stop\"'*) exit 0", "goes on", "later"),
        (
            "'{\"type\":\"run\"'*) :",
            "'{\"type\":\"run\"'*) echo \"{\\\"type\\\":\\\"unfit\\\",\\\"id\\\":$id,\\\"reason\\\":\\\"this host only polls\\\"}\"",
            "runs",
            "it says nothing for too long",
        ),
        ("'{\"type\":\"stop\"'*) exit 9", "'{\"type\":\"stop\"'*) exit 0", "stops", "it exited with code 9"),
        (
            "'{\"type\":\"stop\"'*) echo bye; exit 0",
            "'{\"type\":\"stop\"'*) exit 0",
            "stops",
            "yet it says: bye",
        ),
    ] {
        let host = HOST.replace(right, wrong);
        assert_ne!(host, HOST, "{right}");
        let home = home_with_host(&host);
        let (found, code) = conform(&home, &["--host", "odd/polled.odd", "--seconds", "1"]);
        let (_, failed) = judged(&found);
        assert!(
            code == 1 && failed.len() == 1 && failed[0].0 == check && failed[0].1.contains(words),
            "{wrong}: {found}"
        );
    }
}

#[test]
fn what_can_not_be_tried_is_refused() {
    let home = Home::new();
    pack::write(home.path(), "demo", &pack::DEMO);
    assert_terminal!(
        "conform_refused",
        home.terminal(&[
            &["sensor", "conform", "demo/sensors/look.yaml"],
            &["sensor", "conform", "demo/sensors/look.yaml", "--host"],
            &["sensor", "conform", "none.sh"],
        ])
    );
}
