//! The wrapper of the core pack, running sensors.

use serde_json::{Value, json};

use crate::program::{Finished, Script};

fn poll(source: &str) -> Finished {
    Script::new(source).sensor(&json!({"threshold": 80}), &json!({"state": {"n": 1}}))
}

fn messages(done: &Finished) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The payloads of a poll that went well.
fn events(source: &str) -> Vec<Value> {
    let done = poll(source);
    let mut all = messages(&done);
    assert_eq!((done.code, all.pop().unwrap()), (Some(0), json!({"type": "done"})), "{}", done.stdout);
    all.into_iter().filter(|m| m["type"] == "event").map(|m| m["payload"].clone()).collect()
}

fn error(source: &str) -> Value {
    let done = poll(source);
    assert_eq!(done.code, Some(1));
    let last = messages(&done).pop().unwrap();
    assert_eq!(last["type"], "error");
    last
}

#[test]
fn generators_events_lists_and_nothing() {
    let both = [json!({"a": 80}), json!({"b": 1})];
    assert_eq!(events("def poll_sensor(c):\n    yield {'a': c['threshold']}\n    yield {'b': 1}\n"), both);
    assert_eq!(events("def poll_sensor(c):\n    return [{'a': 80}, {'b': 1}]\n"), both);
    assert_eq!(events("def poll_sensor(c):\n    return {'a': 80}\n"), both[..1]);
    assert_eq!(events("def poll_sensor(c):\n    return None\n"), Vec::<Value>::new());
    assert_eq!(events("async def poll_sensor(c):\n    yield {'a': 80}\n    yield {'b': 1}\n"), both);
    assert_eq!(events("async def poll_sensor(c):\n    return [{'a': 80}, {'b': 1}]\n"), both);
    assert_eq!(events("poll_sensor = lambda c: [{'a': 80}]\n"), both[..1]);
}

#[test]
fn names_are_in_scope_without_an_import() {
    let source = "def poll_sensor(config: Dict[str, Any]) -> Iterator[Dict]:\n    x: Optional[List] = None\n    \
                  yield {'year': datetime(2026, 1, 2).year, 'at': datetime(2026, 1, 2)}\n";
    assert_eq!(events(source), [json!({"year": 2026, "at": "2026-01-02T00:00:00"})]);
}

#[test]
fn state_is_changed_in_place() {
    let source = "def poll_sensor(config, state):\n    state['n'] += 1\n    yield {'n': state['n']}\n";
    let all = messages(&poll(source));
    assert_eq!(all[1..], [json!({"type": "state", "state": {"n": 2}}), json!({"type": "done"})]);
    let without = messages(&poll("def poll_sensor(config):\n    yield {}\n"));
    assert!(without.iter().all(|message| message["type"] != "state"));
}

#[test]
fn contact_is_said_when_it_is_made() {
    let said = |source: &str| messages(&poll(source))[0].clone();
    let contact = json!({"type": "contact"});
    assert_eq!(said("def poll_sensor(config, state, contact):\n    contact()\n    yield {}\n"), contact);
    assert_eq!(
        said("class S:\n    def poll(self, c, s, contact):\n        contact()\npoll_sensor = S().poll\n"),
        contact
    );
    assert_eq!(said("print('{\"events\": [], \"contact\": true}')\n"), contact);
    // A third parameter of another name is the author's own.
    let own = "def poll_sensor(config, state, session=7):\n    yield {'session': session}\n";
    assert_eq!(events(own), [json!({"session": 7})]);
}

#[test]
fn prints_are_log_and_never_events() {
    let source = "import os, subprocess\nprint('module')\ndef poll_sensor(c):\n    print('{\"type\":\"event\"}')\n    \
                  os.system('echo sub')\n    subprocess.Popen(['echo', 'late']).wait()\n    yield {'a': 1}\n";
    let done = poll(source);
    assert_eq!(messages(&done).len(), 2);
    assert_eq!(done.log, "module\n{\"type\":\"event\"}\nsub\nlate\n");
}

#[test]
fn what_can_not_be_stored_goes_to_the_service_singly() {
    let source = "def poll_sensor(c):\n    yield {'a': float('nan')}\n    yield {'b': '\\ud800'}\n    yield {'c': 1}\n";
    let lines: Vec<String> = poll(source).stdout.lines().map(str::to_owned).collect();
    assert_eq!(lines[0], r#"{"type":"event","payload":{"a":NaN}}"#);
    assert_eq!(lines[1], r#"{"type":"event","payload":{"b":"\ud800"}}"#);
    assert_eq!(lines[2], r#"{"type":"event","payload":{"c":1}}"#);
}

#[test]
fn exceptions_carry_the_authors_traceback() {
    let script = Script::new(
        "def poll_sensor(c):\n    yield {'a': 1}\n    fail()\ndef fail():\n    raise KeyError('x')\n",
    );
    let done = script.sensor(&json!({}), &json!({}));
    let all = messages(&done);
    assert_eq!((done.code, all.len()), (Some(1), 2));
    assert_eq!(all[1]["message"], "KeyError: 'x'");
    let traceback = all[1]["traceback"].as_str().unwrap();
    assert!(traceback.contains(&format!("File \"{}\", line 3, in poll_sensor", script.path.display())));
    assert!(traceback.contains("line 5, in fail") && !traceback.contains("run.py"), "{traceback}");
}

#[test]
fn every_other_end_is_an_error_in_words() {
    for (source, message) in [
        ("def poll_sensor(c):\n    return 'x'\n", "poll_sensor returned str;"),
        ("def poll_sensor(c):\n    yield 5\n", "event 1 is int, and no dict"),
        (
            "def poll_sensor(c):\n    yield {'a': {1}}\n",
            "event 1 can not be JSON: it holds a value of the type builtins.set",
        ),
        ("def poll_sensor(c):\n    raise SystemExit(4)\n", "the sensor called exit(4)"),
        ("def poll_sensor(c):\n    raise ValueError('\\udcff\\0')\n", "ValueError: \\udcff\\0"),
        ("def poll_sensor(c:\n", "SyntaxError: "),
        ("import nothing_like_it\ndef poll_sensor(c):\n    pass\n", "ModuleNotFoundError: "),
        ("def poll_sensor(a, b, c):\n    pass\n", "TypeError: poll_sensor() missing 1 required"),
        ("def f():\n    f()\ndef poll_sensor(c):\n    f()\n", "RecursionError: "),
    ] {
        let found = error(source);
        assert!(found["message"].as_str().unwrap().starts_with(message), "{source}: {found}");
    }
}

#[test]
fn a_plain_program_is_passed_on_event_by_event() {
    let source = "import json, os, sys\nconfig = json.load(sys.stdin)\nif __name__ == '__main__':\n    \
                  os.system('printf \"{\"')\n    print('\"events\": [{\"a\": 1}, {\"b\": NaN}], \"state\": {\"k\": 2}}')\n";
    let done = poll(source);
    let expected = "{\"type\":\"event\",\"payload\":{\"a\":1}}\n{\"type\":\"event\",\"payload\":{\"b\":NaN}}\n\
                    {\"type\":\"state\",\"state\":{\"k\":2}}\n{\"type\":\"done\"}\n";
    assert_eq!(done.stdout, expected);
    for (source, message) in [
        ("print('hello')", "stdout is no JSON; it begins with 'hello\\n'"),
        ("print('[]')", "stdout has no array `events`; it begins with '[]\\n'"),
        ("import os\nos.write(1, b'\\xff')", "stdout is not UTF-8; it begins with '\\\\xff'"),
        ("import sys\nsys.exit(2)", "the sensor called exit(2)"),
        ("print('x' * 11000000)", "the sensor printed more than 10485760 bytes"),
    ] {
        assert_eq!(error(source)["message"], message, "{source}");
    }
}

#[test]
fn many_events_come_whole() {
    let all =
        events("def poll_sensor(c):\n    for n in range(20000):\n        yield {'n': n, 'text': 'x' * 50}\n");
    assert_eq!(all.len(), 20_000);
    assert_eq!(all[19_999]["n"], 19_999);
}
