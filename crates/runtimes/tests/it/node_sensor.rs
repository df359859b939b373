//! The wrapper of the core pack for JavaScript, running sensors: how they are written and what goes wrong in them.

use serde_json::{Value, json};

use crate::program::{Finished, Script};

pub(crate) fn poll(name: &str, source: &str) -> Finished {
    Script::named(name, source).sensor(&json!({"threshold": 80}), &json!({"state": {"n": 1}}))
}

pub(crate) fn messages(done: &Finished) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The payloads of a poll that went well.
pub(crate) fn events_of(done: &Finished) -> Vec<Value> {
    let mut all = messages(done);
    let end = all.pop().unwrap_or_default();
    assert_eq!((done.code, end), (Some(0), json!({"type": "done"})), "{}{}", done.stdout, done.log);
    all.into_iter().filter(|m| m["type"] == "event").map(|m| m["payload"].clone()).collect()
}

fn events(name: &str, source: &str) -> Vec<Value> {
    events_of(&poll(name, source))
}

/// The message and the traceback of a poll that failed.
pub(crate) fn error(name: &str, source: &str) -> (String, String) {
    let done = poll(name, source);
    assert_eq!(done.code, Some(1), "{}{}", done.stdout, done.log);
    let last = messages(&done).pop().unwrap();
    assert_eq!(last["type"], "error");
    let text = |key: &str| last[key].as_str().unwrap().to_owned();
    (text("message"), text("traceback"))
}

#[test]
fn every_way_to_define_it_and_to_report() {
    let both = [json!({"a": 80}), json!({"b": 1})];
    for source in [
        "async function poll_sensor(config) { return [{a: config.threshold}, {b: 1}]; }",
        "function poll_sensor(config) {\n  return [{a: config.threshold}, {b: 1}];\n}\n// the end",
        "function* poll_sensor(c) { yield {a: c.threshold}; yield {b: 1}; }",
        "async function* poll_sensor(c) { yield {a: c.threshold}; yield {b: 1}; }",
        "const poll_sensor = async (c) => [{a: c.threshold}, {b: 1}]",
        "let poll_sensor = ({threshold}) => new Set([{a: threshold}, {b: 1}]);",
        "'use strict';\nvar poll_sensor = async function (c) { return [Promise.resolve({a: 80}), {b: 1}]; };",
        "exports.poll_sensor = (c) => [{a: 80}, {b: 1}];",
        "module.exports = {\n  async poll_sensor(c) { return [{a: 80}, {b: 1}]; }\n};",
        "module.exports = async function poll_sensor(c) { return [{a: 80}, {b: 1}]; };",
        "#!/usr/bin/env node\nfunction poll_sensor(c) { return [{a: 80}, {b: 1}]; }",
        "\u{feff}function poll_sensor(c) { return [{a: 80}, {b: 1}]; }",
        "export async function poll_sensor(c) { return [{a: 80}, {b: 1}]; }",
        "export default async function poll_sensor(c) { return [{a: 80}, {b: 1}]; }",
        "export default { poll_sensor: (c) => [{a: 80}, {b: 1}] };\nconst poll_sensor = undefined;",
        "import os from 'os';\nasync function poll_sensor(c) { return [{a: 80}, {b: 1}]; }",
        "const check = (c) => [{a: 80}, {b: 1}];\nexport { check as poll_sensor };",
        "const first = await Promise.resolve({a: 80});\nfunction poll_sensor(c) { return [first, {b: 1}]; }",
    ] {
        assert_eq!(events("code.js", source), both, "{source}");
    }
    assert_eq!(events("code.js", "function poll_sensor(c) { return {a: 80}; }"), both[..1]);
    assert_eq!(events("code.js", "function poll_sensor(c) { return null; }"), Vec::<Value>::new());
    assert_eq!(events("code.js", "function poll_sensor(c) {}"), Vec::<Value>::new());
}

#[test]
fn state_is_changed_in_place_and_sent_when_it_was() {
    let source = "function* poll_sensor(config, state) { state.n += 1; yield {n: state.n}; }";
    let all = messages(&poll("code.js", source));
    assert_eq!(all[1..], [json!({"type": "state", "state": {"n": 2}}), json!({"type": "done"})]);
    let with_default = "function poll_sensor(config, state = {}) { state.m = 1; }";
    assert_eq!(messages(&poll("code.js", with_default))[0]["state"], json!({"n": 1, "m": 1}));
    let without = messages(&poll("code.js", "function poll_sensor(config) { return {}; }"));
    assert!(without.iter().all(|message| message["type"] != "state"));
    let (message, _) = error("code.js", "function poll_sensor(config, state) { state.n = NaN; }");
    assert_eq!(message, "the state can not be JSON: it holds, as \"n\", NaN");
}

#[test]
fn contact_is_said_when_it_is_made() {
    let contact = json!({"type": "contact"});
    let source = "async function poll_sensor(config, state, contact) { contact(); return {}; }";
    assert_eq!(messages(&poll("code.js", source))[0], contact);
    let plain = "console.log(JSON.stringify({ events: [], contact: true }));";
    assert_eq!(messages(&poll("code.js", plain))[0], contact);
}

#[test]
fn errors_show_the_authors_file_and_line_only() {
    for name in ["code.cjs", "code.mjs"] {
        let script = Script::named(
            name,
            "// one\n\nasync function poll_sensor(config) {\n  await null;\n  fail();\n}\nfunction fail() {\n  \
             throw new TypeError('no');\n}",
        );
        let done = script.sensor(&json!({}), &json!({}));
        let last = messages(&done).pop();
        let error = last.unwrap_or_else(|| panic!("it said nothing, code {:?}: {}", done.code, done.log));
        assert_eq!(error["message"], "TypeError: no", "{done}", done = done.stdout);
        let path = script.path.display();
        let traceback = error["traceback"].as_str().unwrap().replace("file://", "");
        assert_eq!(
            traceback,
            format!("TypeError: no\n    at fail ({path}:8:9)\n    at poll_sensor ({path}:5:3)\n")
        );
    }
}

#[test]
fn errors_while_the_file_loads_have_its_lines_too() {
    for name in ["code.cjs", "code.mjs"] {
        let source = "\n\nthrow new Error('at once');\nfunction poll_sensor() {}\n";
        let (message, traceback) = error(name, source);
        assert_eq!(message, "Error: at once");
        assert!(traceback.contains(&format!("{name}:3:7")), "{traceback}");
        assert!(!traceback.contains("run.cjs") && !traceback.contains("node:"), "{traceback}");
        let (message, traceback) = error(name, "function poll_sensor() {\n  const x = ;\n}\n");
        assert_eq!(message, format!("SyntaxError: Unexpected token ';' ({name}, line 2)"));
        assert!(traceback.contains("  const x = ;\n            ^\n"), "{traceback}");
    }
}

#[test]
fn every_other_end_is_an_error_in_words() {
    for (source, message) in [
        (
            "function poll_sensor() { return 'x'; }",
            "poll_sensor returned a string; it returns an event (an object), an array of events or null, or yields \
             events",
        ),
        ("function* poll_sensor() { yield 5; }", "event 1 is a number, and no object"),
        ("function poll_sensor() { return [{}, [1]]; }", "event 2 is an array, and no object"),
        ("function poll_sensor() { process.exit(0); }", "the sensor called process.exit(0)"),
        ("process.exit(4);\nfunction poll_sensor() {}", "the sensor called process.exit(4)"),
        ("const poll_sensor = 5;", "poll_sensor in this file is no function"),
        ("function poll_sensor() { throw 'words'; }", "'words' was thrown, which is no Error"),
        ("function poll_sensor() { throw undefined; }", "undefined was thrown, which is no Error"),
        ("function poll_sensor() { throw new Error('a\\0b'); }", "Error: a\\0b"),
        (
            "function poll_sensor() { const e = new Error('x'); Object.defineProperty(e, 'name', {get() { throw 1; }}); \
             throw e; }",
            "an error that can not be shown",
        ),
        (
            "function f() { f(); }\nfunction poll_sensor() { f(); }",
            "RangeError: Maximum call stack size exceeded",
        ),
        (
            "require('nothing-like-it');\nfunction poll_sensor() {}",
            "Error: Cannot find module 'nothing-like-it'; Attune installs what package.json at the root of the pack names",
        ),
        (
            "function poll_sensor(config) {\n  const got = await config.url;\n}",
            "SyntaxError: await is only valid in async functions and the top level bodies of modules (code.js, line 2)",
        ),
        (
            "async function poll_sensor() { await new Promise(() => {}); }",
            "poll_sensor waits for a promise that nothing can settle any more",
        ),
        (
            "async function poll_sensor() { throw new Error('a', {cause: new AggregateError([new Error('b'), new Error('c')])}); }",
            "Error: a, caused by AggregateError: Error: b; Error: c",
        ),
    ] {
        assert_eq!(error("code.js", source).0, message, "{source}");
    }
}

#[test]
fn what_fails_beside_the_poll_fails_the_poll() {
    for source in [
        "async function poll_sensor() {\n  Promise.reject(new Error('beside'));\n  return {};\n}",
        "async function poll_sensor() {\n  setTimeout(() => { throw new Error('beside'); });\n  \
         await new Promise(() => setInterval(() => {}, 1000));\n}",
        "async function poll_sensor() {\n  require('events').EventEmitter.prototype.emit('error', new Error('beside'));\n}",
    ] {
        let (message, traceback) = error("code.js", source);
        assert_eq!(message, "Error: beside", "{source}");
        assert!(traceback.contains("code.js:2:"), "{traceback}");
    }
}

#[test]
fn what_is_left_open_keeps_nobody_waiting() {
    let source = "const server = require('net').createServer();\nasync function poll_sensor() {\n  \
                  setInterval(() => {}, 1000);\n  await new Promise((listening) => server.listen(0, listening));\n  \
                  return {open: true};\n}";
    assert_eq!(events("code.js", source), [json!({"open": true})]);
}

#[test]
fn a_name_that_is_nearly_right_is_pointed_at() {
    for (name, source) in [
        ("pollSensor", "async function pollSensor(config) {}"),
        ("pol_sensor", "const other = 1;\nconst pol_sensor = () => {};"),
        ("poll_sensors", "export function poll_sensors() {}"),
        ("PollSensor", "exports.PollSensor = 1;"),
    ] {
        let expected = format!(
            "the file defines no function poll_sensor and printed nothing; did you mean poll_sensor by {name}?"
        );
        assert_eq!(error("code.js", source).0, expected);
    }
    let nothing = "the file defines no function poll_sensor and printed nothing";
    assert_eq!(error("code.js", "const x = 1; // no poll_sensor here").0, nothing);
}

#[test]
fn a_plain_program_runs_by_itself_and_is_passed_on() {
    let cjs = "const config = JSON.parse(require('fs').readFileSync(0));\nif (require.main === module) {\n  \
               console.error('log');\n  console.log(JSON.stringify({events: [config, {b: process.argv.length}], \
               state: {k: 2}}));\n}\n";
    let esm = "import { readFileSync } from 'node:fs';\nconst config = JSON.parse(readFileSync(0));\n\
               console.error('log');\nconsole.log(JSON.stringify({events: [config, {b: process.argv.length}], state: {k: 2}}));\n";
    for source in [cjs, esm] {
        let done = poll("code.js", source);
        let expected = "{\"type\":\"event\",\"payload\":{\"threshold\":80}}\n{\"type\":\"event\",\"payload\":{\"b\":2}}\n\
                        {\"type\":\"state\",\"state\":{\"k\":2}}\n{\"type\":\"done\"}\n";
        assert_eq!((done.stdout.as_str(), done.log.as_str()), (expected, "log\n"));
    }
    for (source, message) in [
        ("console.log('hello')", "stdout is no JSON; it begins with 'hello\\n'"),
        ("console.log('[]')", "stdout has no array `events`; it begins with '[]\\n'"),
        ("process.stdout.write(Buffer.from([255]))", "stdout is not UTF-8; it begins with '\u{fffd}'"),
        (
            "for (;;) require('fs').writeSync(1, 'x'.repeat(65536))",
            "the sensor printed more than 10485760 bytes",
        ),
        ("process.kill(process.pid, 'SIGKILL')", "the sensor was ended by SIGKILL"),
    ] {
        assert_eq!(error("code.js", source).0, message, "{source}");
    }
}

/// Its stderr says why; the service quotes the end of that when there is no message.
#[test]
fn a_plain_program_that_fails_has_its_own_code_and_words() {
    let done = poll("code.js", "console.error('can not reach the pump'); process.exit(3);");
    assert_eq!(
        (done.code, done.stdout.as_str(), done.log.as_str()),
        (Some(3), "", "can not reach the pump\n")
    );
    let done = poll("code.js", "\nthrow new Error('no');");
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    assert!(
        done.log.starts_with("Error: no\n    at Object.<anonymous> (")
            && done.log.ends_with("code.js:2:7)\n")
    );
}
