//! The wrapper of the core pack for JavaScript: what its sensors print and report, however much and however odd.

use serde_json::json;

use crate::node_sensor::{error, events_of, messages, poll};

#[test]
fn prints_are_log_and_never_events() {
    let source = "console.log('module');\nconst { execSync, spawnSync, spawn } = require('child_process');\n\
                  async function poll_sensor() {\n  console.log('{\"type\":\"event\"}');\n  process.stdout.write('raw\\n');\n  \
                  require('fs').writeSync(1, 'one\\n');\n  spawnSync('echo', ['child'], {stdio: 'inherit'});\n  \
                  execSync('echo command', {stdio: 'inherit'});\n  const late = spawn('echo', ['late'], {stdio: 'inherit'});\n  \
                  await new Promise((end) => late.on('close', end));\n  console.error('error');\n  return {a: 1};\n}";
    let done = poll("code.js", source);
    assert_eq!(messages(&done).len(), 2);
    assert_eq!(done.log, "module\n{\"type\":\"event\"}\nraw\none\nchild\ncommand\nlate\nerror\n");
}

/// A full pipe takes prints late; the end of the poll waits for them.
#[test]
fn many_prints_come_whole() {
    let source = "function poll_sensor() { for (let n = 0; n < 20000; n++) console.log('x'.repeat(50), n); return {}; }";
    let done = poll("code.js", source);
    assert_eq!((done.log.lines().count(), done.log.lines().last().unwrap().len()), (20_000, 56));
}

#[test]
fn what_json_has_not_is_set_aside_or_named() {
    let source = "function* poll_sensor() { yield {a: NaN}; yield {a: [Infinity, -Infinity]}; yield {b: '\\ud800'}; \
                  yield {c: undefined, at: new Date(0), url: new URL('http://a/'), n: null}; }";
    let lines: Vec<String> = poll("code.js", source).stdout.lines().map(str::to_owned).collect();
    assert_eq!(lines[0], r#"{"type":"event","payload":{"a":NaN}}"#);
    assert_eq!(lines[1], r#"{"type":"event","payload":{"a":[Infinity,-Infinity]}}"#);
    assert_eq!(lines[2], r#"{"type":"event","payload":{"b":"\ud800"}}"#);
    let payload = r#"{"at":"1970-01-01T00:00:00.000Z","url":"http://a/","n":null}"#;
    assert_eq!(lines[3], format!(r#"{{"type":"event","payload":{payload}}}"#));
    for (value, reason) in [
        ("{a: 1n}", "it holds, as \"a\", a BigInt; String or Number makes JSON of it"),
        ("{a: {b: () => 1}}", "it holds, as \"b\", a function"),
        ("{a: Symbol('s')}", "it holds, as \"a\", a symbol"),
        ("{a: [new Map()]}", "it holds, as \"0\", a Map; Object.fromEntries makes an object of it"),
        ("{a: new Set()}", "it holds, as \"a\", a Set; Array.from makes an array of it"),
        ("{a: Promise.resolve(1)}", "it holds, as \"a\", a Promise; await it"),
        ("{a: new TypeError('x')}", "it holds, as \"a\", an Error; take its message"),
        ("{a: /x/}", "it holds, as \"a\", a RegExp"),
        ("{a: new Date(NaN)}", "it holds, as \"a\", an invalid Date"),
        ("[new Error('x')]", "it is an Error; take its message"),
        ("{get a() { throw new Error('got') }}", "got"),
        ("{toJSON() {}}", "it is undefined"),
        ("(() => { const a = {}; a.a = a; return a; })()", "Converting circular structure to JSON"),
        (
            "(() => { let a = {}; for (let n = 0; n < 1e5; n++) a = {a}; return a; })()",
            "Maximum call stack size exceeded",
        ),
    ] {
        let (message, _) = error("code.js", &format!("function poll_sensor() {{ return {value}; }}"));
        assert_eq!(message, format!("event 1 can not be JSON: {reason}"), "{value}");
    }
}

#[test]
fn a_million_events_come_whole() {
    let source = "function* poll_sensor() { for (let n = 0; n < 1e6; n++) yield {n}; }";
    let done = poll("code.js", source);
    assert_eq!(done.code, Some(0), "{}", done.log);
    let mut lines = done.stdout.lines();
    assert_eq!(lines.nth(999_999), Some(r#"{"type":"event","payload":{"n":999999}}"#));
    assert_eq!((lines.next(), lines.next()), (Some(r#"{"type":"done"}"#), None));
}

#[test]
fn a_huge_text_comes_whole() {
    let done = poll("code.js", "function poll_sensor() { return {text: '\u{fc}'.repeat(2e7)}; }");
    assert_eq!(
        done.stdout.len(),
        40_000_000 + r#"{"type":"event","payload":{"text":""}}{"type":"done"}"#.len() + 2
    );
}

#[test]
fn events_before_a_failure_are_still_reported() {
    let done = poll("code.js", "function* poll_sensor() { yield {a: 1}; throw new Error('then'); }");
    let all = messages(&done);
    assert_eq!((&all[0]["payload"], &all[1]["message"]), (&json!({"a": 1}), &json!("Error: then")));
}

#[test]
fn a_file_without_an_extension_runs_too() {
    assert_eq!(events_of(&poll("code", "function poll_sensor() { return {a: 1}; }")), [json!({"a": 1})]);
    let module = "import 'os';\nfunction poll_sensor() { return {a: import.meta.url.endsWith('/code')}; }";
    assert_eq!(events_of(&poll("code", module)), [json!({"a": true})]);
}
