//! What a rule makes of an event, before it is loaded and after.

use serde_json::{Value, json};

use crate::database::Database;
use crate::home::{Answer, Home, assert_terminal};
use crate::pack;
use crate::up::Up;

/// A rule for a trigger with parameters, one on things of others, and a file that is no rule's.
const MORE: [(&str, &str); 4] = [
    (
        "triggers/change.yaml",
        "ref: demo.change\nparam_schema:\n  properties:\n    path: {type: string}\n    depth: {type: integer, default: 1}\n",
    ),
    (
        "rules/change.yaml",
        "ref: demo.change_hosts\ntrigger: demo.change\ntrigger_params: {path: /etc/hosts}\naction: core.write_file\naction_params:\n  path: /tmp/changes\n  content: \"{{ event.trigger_params.path }} by {{ rule.ref }}\"\n",
    ),
    (
        "rules/strange.yaml",
        "ref: demo.strange\ntrigger: core.webhook\nconditions:\n  - any:\n      - {field: payload.n, operator: in, value: [1, 2]}\n      - {field: source, operator: exists}\naction: other.act\n",
    ),
    ("rules/off.yaml", "ref: demo.off\nenabled: false\ntrigger: demo.note\naction: demo.mute\n"),
];

fn write_pack(home: &Home) {
    pack::write(home.path(), "demo", &[&pack::DEMO[..], &MORE[..]].concat());
}

fn try_file(home: &Home, rule: &str, event: &str) -> Answer {
    std::fs::write(home.path().join("event.json"), event).unwrap();
    home.attune(&["rule", "test", rule, "--event", "event.json"])
}

#[test]
fn a_rule_is_tried_before_anything_runs() {
    let home = Home::new();
    write_pack(&home);
    let cases = [
        ("repeat_note", r#"{"text": "hi"}"#),
        ("loud_note", r#"{"text": "hi"}"#),
        ("loud_note", r#"{"text": "hi!"}"#),
        ("repeat_note", r#"{"text": 7}"#),
        ("repeat_note", r#"{"trigger": "demo.seen", "payload": {}}"#),
        ("change", "{}"),
        ("change", r#"{"payload": {}, "trigger_params": {"path": "/etc/hosts", "depth": 2}}"#),
        ("change", r#"{"payload": {}, "trigger_params": {"path": "/etc/hosts", "depth": 1}}"#),
        ("change", r#"{"payload": {}, "trigger_params": {"depth": "deep"}}"#),
        ("off", r#"{"text": "hi"}"#),
        ("strange", r#"{"n": 3}"#),
        ("repeat_note", "[1]"),
        ("repeat_note", "{text"),
        ("repeat_note", r#"{"payload": {}, "id": "seven"}"#),
    ];
    let shown = cases.map(|(rule, event)| {
        let file = format!("demo/rules/{rule}.yaml");
        format!(
            "$ cat event.json\n{event}\n$ attune rule test {file} --event event.json\n{}\n",
            try_file(&home, &file, event)
        )
    });
    let wrong = home.terminal(&[
        &["rule", "test", "demo/rules/none.yaml", "--event", "event.json"],
        &["rule", "test", "demo/triggers/note.yaml", "--event", "event.json"],
        &["rule", "test", "demo/rules/off.yaml", "--event", "none.json"],
        &["rule", "test", "demo/rules/off.yaml", "--last", "3"],
        &["rule", "test", "demo/rules/off.yaml"],
        &["rule", "test", "demo.off", "--event", "event.json"],
    ]);
    assert_terminal!("rule_of_a_file", [shown.concat(), wrong].concat());

    let answer =
        home.attune(&["rule", "test", "demo/rules/loud_note.yaml", "--event", "event.json", "-o", "json"]);
    assert_eq!(answer.code, 6, "{answer}");
    let answer = try_json(&home, "demo/rules/loud_note.yaml", r#"{"text": "hi"}"#);
    let blame = json!({"at": "[0]", "field": "payload.text", "operator": "ends_with", "value": "!", "found": "hi", "held": false});
    assert_eq!((&answer["because"], &answer["condition"]), (&json!("conditions"), &blame));
    let answer = try_json(&home, "demo/rules/repeat_note.yaml", r#"{"text": "hi"}"#);
    assert_eq!(
        answer,
        json!({"rule": "demo.repeat_note", "notes": [], "fires": true, "action": "demo.repeat", "params": {"text": "hi"}})
    );
}

fn try_json(home: &Home, rule: &str, event: &str) -> Value {
    std::fs::write(home.path().join("event.json"), event).unwrap();
    let answer = home.attune(&["rule", "test", rule, "--event", "event.json", "-o", "json"]);
    serde_json::from_str(&answer.stdout).unwrap()
}

/// With what the pack's rules need and cannot bring: an action of another pack.
fn running() -> (Home, Database, Up) {
    let (home, database) = Home::with_database();
    write_pack(&home);
    let other = [
        ("pack.yaml", "ref: other\nname: Other\nversion: 1.0.0\n"),
        (
            "actions/act.yaml",
            "ref: other.act\nruntime: core.shell\nentrypoint: act.sh\nparam_schema: {properties: {token: {secret: true, default: hush}}}\n",
        ),
        ("act.sh", "#!/bin/sh\n"),
    ];
    pack::write(home.path(), "other", &other);
    let up = home.up(&["--packs", "other", "--packs", "demo"]);
    (home, database, up)
}

#[test]
fn a_loaded_rule_is_tried_on_events_that_are_given_or_stored() {
    let (home, database, _up) = running();
    for text in ["one", "two!", "three"] {
        home.json(&["event", "send", "demo.note", "--payload", &format!(r#"{{"text": "{text}"}}"#)]);
    }
    let note = database.number("SELECT min(id) FROM event WHERE trigger_ref = 'demo.note'").to_string();
    std::fs::write(
        home.path().join("event.json"),
        home.attune(&["event", "show", &note, "-o", "json"]).stdout,
    )
    .unwrap();
    let terminal = home.terminal(&[
        &["rule", "test", "demo.repeat_note", "--event", "event.json"],
        &["rule", "test", "demo.off", "--event", "event.json"],
        &["rule", "test", "demo.strange", "--event", "event.json"],
        &["rule", "test", "demo.lost", "--event", "event.json"],
        &["rule", "test", "demo.change_hosts", "--last", "5"],
    ]);
    assert_terminal!("rule_of_a_ref", terminal);
    // What this pack lacks the running Attune has. Its secrets stay there.
    let strange = try_json(&home, "demo/rules/strange.yaml", r#"{"n": 2}"#);
    assert_eq!((&strange["fires"], &strange["params"]), (&json!(true), &json!({"token": "***"})));

    let history = home.attune(&["rule", "test", "demo.loud_note", "--last", "2", "-o", "json"]);
    let answer: Value = serde_json::from_str(&history.stdout).unwrap();
    let why: Vec<_> = answer["events"].as_array().unwrap().iter().map(|event| &event["because"]).collect();
    assert_eq!(
        (history.code, &answer["fires"], why),
        (1, &json!(0), vec![&json!("conditions"), &json!("action")])
    );
    let table = home.attune(&["rule", "test", "demo.repeat_note", "--last", "2"]).stdout;
    assert!(table.ends_with("demo.repeat_note fires for 2 of 2 events\n"), "{table}");

    // Nothing of all this left a trace.
    assert_eq!(database.number("SELECT count(*) FROM event WHERE trigger_ref = 'demo.note'"), 3);
    assert_eq!(database.number("SELECT count(*) FROM enforcement"), 4);
}

#[test]
fn a_rule_that_was_broken_by_hand_says_so() {
    let (home, database, _up) = running();
    std::fs::write(home.path().join("event.json"), r#"{"text": "hi"}"#).unwrap();
    let broken = |sql: &str| {
        database.execute(sql);
        home.terminal(&[&["rule", "test", "demo.repeat_note", "--event", "event.json"]])
    };
    let terminal = [
        r#"UPDATE rule SET conditions = '[{"field": "payload.text", "operator": "sounds_like"}]' WHERE ref = 'demo.repeat_note'"#,
        r#"UPDATE rule SET conditions = '[]', action_params = '{"text": "{{ event.payload"}' WHERE ref = 'demo.repeat_note'"#,
        r#"UPDATE rule SET action_params = '{"text": 7}' WHERE ref = 'demo.repeat_note'"#,
        "UPDATE action SET enabled = FALSE WHERE ref = 'demo.repeat'",
        "UPDATE trigger SET enabled = FALSE WHERE ref = 'demo.note'",
    ];
    assert_terminal!("rule_that_is_broken", terminal.map(broken).concat());
}
