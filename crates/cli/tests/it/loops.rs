//! Rules that lead back to their own trigger come to an end.

use std::fs;

use serde_json::json;

use crate::database::Database;
use crate::home::Home;
use crate::pack;
use crate::up::Up;

/// A system with an action that sends an event of `loop.again`, and so many rules that run it at such an event.
fn with_rules(count: usize, limits: &str) -> (Home, Database, Up) {
    let (home, database) = Home::with_database();
    fs::write(home.path().join("config.yaml"), format!("limits: {limits}\n")).unwrap();
    let up = home.up(&[]);
    let script = format!("#!/bin/sh\nexec {} event send loop.again\n", env!("CARGO_BIN_EXE_attune"));
    let rules: Vec<_> = (0..count)
        .map(|n| {
            let text = format!("ref: loop.rule_{n}\ntrigger: loop.again\naction: loop.send\n");
            (format!("rules/rule_{n}.yaml"), text)
        })
        .collect();
    let mut files = vec![
        ("pack.yaml", "ref: loop\nname: Loop\nversion: 1.0.0\n"),
        ("triggers/again.yaml", "ref: loop.again\n"),
        (
            "actions/send.yaml",
            "ref: loop.send\nruntime: core.shell\nentrypoint: actions/send.sh\napi: [event.send]\n",
        ),
        ("actions/send.sh", &script),
    ];
    files.extend(rules.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    pack::write(home.path(), "loop", &files);
    let loaded = home.attune(&["pack", "load", "loop"]);
    assert_eq!(loaded.code, 0, "{loaded}");
    let sent = home.attune(&["event", "send", "loop.again"]);
    assert_eq!(sent.code, 0, "{sent}");
    (home, database, up)
}

/// Waits until all are over: how many there were, and the different errors.
fn ended(database: &Database, count: usize) -> Vec<String> {
    database.eventually(&format!(
        "SELECT count(*) AS ended FROM execution HAVING count(*) = {count} AND count(*) = count(finished)"
    ));
    let rows = database.rows("SELECT DISTINCT error FROM execution WHERE error IS NOT NULL");
    rows.iter().map(|row| row["error"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_that_triggers_itself_ends_at_the_longest_chain() {
    let (home, database, _up) = with_rules(1, "{}");
    let errors = ended(&database, 33);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(error.contains("32 executions led to each other already"), "{error}");
    let depths = database.rows("SELECT jsonb_agg(depth ORDER BY id) AS depths FROM event");
    assert_eq!(depths[0]["depths"], json!((0..=32).collect::<Vec<_>>()));
    let last = &database.rows("SELECT id, caused_by FROM event ORDER BY id DESC LIMIT 1")[0];
    let shown = home.json(&["event", "show", &last["id"].to_string()]);
    assert_eq!((&shown["caused_by"], &shown["source"]), (&last["caused_by"], &json!("loop.send")));
    let cause = home.json(&["execution", "show", &last["caused_by"].to_string()]);
    assert_eq!(cause["event"].as_i64(), last["id"].as_i64().map(|id| id - 1));
    let failed = database.rows("SELECT id FROM execution WHERE error IS NOT NULL")[0]["id"].to_string();
    let log = home.attune(&["execution", "logs", &failed]);
    assert!(log.stdout.contains("Events were refused: 32 executions"), "{log}");
}

#[test]
fn two_that_trigger_each_other_end_however_often_they_double() {
    let (_home, database, _up) = with_rules(2, "{chain_events: 50}");
    let errors = ended(&database, 2 * 51);
    assert!(errors.iter().all(|error| error.contains("may send at most 50 events")), "{errors:?}");
    let events = database.rows("SELECT count(*) AS events, max(depth) AS depth FROM event");
    assert_eq!(events[0]["events"], 51);
    assert!(events[0]["depth"].as_i64().unwrap() <= 32, "{}", events[0]);
}
