//! What an operator orders, and what the terminal says to it.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use crate::home::{Home, assert_terminal};
use crate::pack;

fn running() -> (Home, crate::database::Database, crate::up::Up) {
    let (home, database) = Home::with_database();
    pack::write(home.path(), "demo", &pack::DEMO);
    let up = home.up(&["--packs", "demo"]);
    database.eventually("SELECT 1 FROM sensor_state WHERE events = 1");
    (home, database, up)
}

/// How many ids an event leaves out depends on how long the ones before it took.
fn without_ids(terminal: &str) -> String {
    (1..100).fold(terminal.to_owned(), |text, id| {
        text.replace(&format!("event {id}:"), "event N:").replace(&format!("event={id}\n"), "event=N\n")
    })
}

#[test]
fn things_are_switched_and_it_is_in_force() {
    let (home, database, _up) = running();
    let note = &["event", "send", "demo.note", "--payload", r#"{"text": "héllo!"}"#][..];
    let terminal = home.terminal(&[
        note,
        &["rule", "disable", "demo.loud_note", "demo.repeat_note"],
        &["rule", "disable", "demo.loud_note"],
        note,
        &["rule", "enable", "demo.repeat_note"],
        note,
        &["sensor", "enable", "demo.lok"],
        &["rule", "enable", "demo.nothing", "demo.loud_note", "demo.none"],
        &["rule", "disable", "demo.loud_note"],
        &["pack", "disable", "demo"],
        note,
        &["action", "run", "demo.fail"],
    ]);
    database.eventually("SELECT 1 FROM sensor_state WHERE status = 'stopped' AND reason LIKE 'its pack %'");
    let stopped = home.json(&["sensor", "show", "demo.look"]);
    assert_eq!(stopped["reason"], "its pack demo is disabled");
    let last = home.terminal(&[&["pack", "enable", "demo"], note]);
    assert_terminal!("switch", without_ids(&[terminal, last].concat()));
    database.eventually("SELECT 1 FROM sensor_state WHERE status <> 'stopped'");
    assert_eq!(
        home.json(&["trigger", "disable", "demo.seen"]),
        json!([{"ref": "demo.seen", "enabled": false, "changed": true}])
    );
}

#[test]
fn rules_come_from_a_file_or_from_standard_input() {
    let (home, database, _up) = running();
    let mine = "ref: my.rule\ntrigger: demo.note\naction: demo.repeat\naction_params: {text: mine}\n";
    let other = mine.replace("my.rule", "my.other");
    std::fs::write(home.path().join("mine.yaml"), format!("{mine}---\n{other}")).unwrap();
    let apply = &["rule", "apply", "-f", "mine.yaml"][..];
    let first = home.terminal(&[apply, apply]);
    let changed = mine.replace("text: mine", "text: 'it is mine, and it is a good deal longer than before'");
    std::fs::write(home.path().join("mine.yaml"), format!("{changed}enabled: false\n---\n{other}")).unwrap();
    let second = home.terminal(&[apply]);
    std::fs::write(
        home.path().join("mine.yaml"),
        format!("{mine}---\n{}", other.replace("demo.note", "demo.nope")),
    )
    .unwrap();
    let refused = home.terminal(&[apply, &["rule", "apply", "-f", "nowhere.yaml"]]);
    assert_terminal!("apply", [first, second, refused].concat());
    assert_eq!(database.number("SELECT count(*) FROM rule WHERE pack IS NULL AND ref LIKE 'my.%'"), 2);

    let mut command = home.command(&["sensor", "apply", "-f", "-"]);
    command.arg("--data-dir").arg(home.data_dir());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let sensor = "ref: demo.again\nruntime: core.shell\nentrypoint: sensors/look.sh\ntriggers: [demo.seen]\n";
    child.stdin.take().unwrap().write_all(sensor.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "sensor demo.again created\n");
    database.eventually("SELECT 1 FROM event WHERE sensor_ref = 'demo.again'");
}

#[test]
fn a_pack_is_compared_before_it_is_loaded() {
    let (home, database, _up) = running();
    database.execute("UPDATE rule SET action_params = '{\"text\": \"mine\"}' WHERE ref = 'demo.repeat_note'");
    let diff = &["pack", "diff", "demo", "--exit-code"][..];
    let same = home.terminal(&[diff]);
    let rule = "ref: demo.loud_note\nlabel: Loud\ntrigger: demo.note\naction: demo.repeat\naction_params: {text: theirs}\n";
    pack::write(
        home.path(),
        "demo",
        &[("rules/loud_note.yaml", rule), ("rules/new.yaml", &rule.replace("loud_note", "new"))],
    );
    let changed = home.terminal(&[diff, &["pack", "load", "demo"], diff, &["pack", "diff", "nowhere"]]);
    assert_terminal!("diff", [same, changed].concat());
    let shown = home.json(&["pack", "show", "demo"]);
    assert_eq!(shown["rules"], json!(["demo.loud_note", "demo.new", "demo.repeat_note"]));
    assert_eq!((&shown["enabled"], shown["digest"].as_str().unwrap().len()), (&json!(true), 64));
}

#[test]
fn executions_are_cancelled_and_run_again() {
    let (home, database, _up) = running();
    let slow = ["action", "run", "core.run_command", "--param", "command=sleep 300", "--detach"];
    let id = home.json(&slow)["id"].to_string();
    database.eventually(&format!("SELECT 1 FROM execution WHERE id = {id} AND status = 'running'"));
    let cancel = home.terminal(&[&["execution", "cancel", &id]]);
    database.eventually(&format!("SELECT 1 FROM execution WHERE id = {id} AND status = 'cancelled'"));
    let again = home.terminal(&[
        &["execution", "cancel", &id],
        &["execution", "retry", &id],
        &["execution", "retry", &id, "--force", "-o", "json"],
        &["execution", "retry", "424242"],
        &["execution", "cancel", "--where", "action_ref=demo.away"],
        &["execution", "cancel", "--where", "event=seven", "--yes"],
    ]);
    assert_terminal!("cancel_and_retry", [cancel, again].concat());
    assert_eq!(
        home.json(&["execution", "list", "--where", &format!("retry_of={id}")]).as_array().unwrap().len(),
        2
    );
    let all = home.json(&["execution", "list", "--where", &format!("retry_of={id}")]);
    let ids: Vec<String> = all.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    home.json(&[&["execution", "cancel"][..], &ids.iter().map(String::as_str).collect::<Vec<_>>()].concat());
}
