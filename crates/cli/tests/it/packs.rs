//! Packs are validated before anything is loaded, and every fault says where it is.

use serde_json::json;

use crate::home::{Home, assert_terminal};
use crate::pack;

/// One file of the pack, and what is wrong with it.
const FAULTS: [(&str, &str, &str); 7] = [
    (
        "wrong_field",
        "sensors/look.yaml",
        "ref: demo.look\nruntime: core.shell\nentrypoint: sensors/look.sh\ntriggers: [demo.seen]\npol_interval: 5\n",
    ),
    (
        "missing_entrypoint",
        "actions/repeat.yaml",
        "ref: demo.repeat\nruntime: core.shell\nentrypoint: actions/repaet.sh\n",
    ),
    ("duplicate_ref", "triggers/again.yaml", "# copied\nref: demo.note\n"),
    (
        "unknown_operator",
        "rules/loud_note.yaml",
        "ref: demo.loud_note\ntrigger: demo.note\nconditions:\n  - {field: payload.text, operator: sounds_like, value: x}\naction: demo.fail\n",
    ),
    (
        "unknown_trigger",
        "rules/loud_note.yaml",
        "ref: demo.loud_note\n\ntrigger: demo.nota\naction: demo.fail\n",
    ),
    ("several", "pack.yaml", "ref: demo\nversion: one\nauthor: me\n"),
    ("no_yaml", "rules/loud_note.yaml", "ref: demo.loud_note\n\ttrigger: x\n"),
];

#[test]
fn validate_names_file_line_and_field() {
    let home = Home::new();
    pack::write(home.path(), "demo", &pack::DEMO);
    let validate = |name: &str| home.terminal(&[&["pack", "validate", name]]);
    let faulty = FAULTS.map(|(name, path, text)| {
        pack::write(home.path(), name, &pack::demo_with(path, text));
        validate(name)
    });
    assert_terminal!("validate", [validate("demo"), faulty.concat(), validate("nowhere")].concat());
    assert_eq!(home.json(&["pack", "validate", "demo"])["valid"], true);
}

#[test]
fn a_faulty_pack_is_not_loaded_at_all() {
    let (home, database) = Home::with_database();
    let _up = home.up(&[]);
    let load = |(name, path, text): (&str, &str, &str)| {
        pack::write(home.path(), name, &pack::demo_with(path, text));
        home.terminal(&[&["pack", "load", name]])
    };
    assert_terminal!("load_faulty", FAULTS.map(load).concat());
    for table in ["pack", "trigger", "sensor", "rule", "action"] {
        assert_eq!(
            database.number(&format!("SELECT count(*) FROM {table} WHERE ref LIKE 'demo%'")),
            0,
            "{table}"
        );
    }
}

#[test]
fn a_pack_is_loaded_and_loaded_again() {
    let (home, database) = Home::with_database();
    let _up = home.up(&[]);
    pack::write(home.path(), "demo", &pack::DEMO);
    let first = home.terminal(&[&["pack", "load", "demo"], &["pack", "load", "demo"]]);
    database.execute("UPDATE rule SET action_params = '{\"text\": \"mine\"}' WHERE ref = 'demo.loud_note'");
    let files: Vec<_> = pack::demo_with(
        "rules/loud_note.yaml",
        "ref: demo.loud_note\ntrigger: demo.note\naction: demo.repeat\naction_params: {text: theirs}\n",
    );
    let files: Vec<_> = files.into_iter().filter(|(path, _)| *path != "actions/fail.yaml").collect();
    std::fs::remove_dir_all(home.path().join("demo")).unwrap();
    pack::write(home.path(), "demo", &files);
    let changed = home.terminal(&[&["pack", "load", "demo"], &["action", "list", "-f", "enabled=false"]]);
    assert_terminal!("load", [first, changed].concat());
}

/// A manifest with a command that every machine has, and two that none has.
const REQUIRING: &str = "ref: demo
name: Demo
version: 1.2.0
requires:
  - sh
  - attune-test-none
  - {command: attune-test-gauge, install: get it}
";

#[test]
fn a_required_command_that_is_missing_here_is_a_warning() {
    let (home, _database) = Home::with_database();
    let faulty = [REQUIRING, "  - bin/sh\n  - sh\n  - {comand: jq, install: ''}\n"].concat();
    pack::write(home.path(), "demo", &pack::demo_with("pack.yaml", REQUIRING));
    pack::write(home.path(), "faulty", &pack::demo_with("pack.yaml", &faulty));
    let up = home.up(&[]);
    let shown = home.terminal(&[
        &["pack", "validate", "faulty"],
        &["pack", "validate", "demo"],
        &["pack", "load", "demo"],
    ]);
    assert_terminal!("requires", shown);
    assert_eq!(
        home.json(&["pack", "show", "demo"])["requires"],
        json!([
            {"command": "sh"},
            {"command": "attune-test-none"},
            {"command": "attune-test-gauge", "install": "get it"},
        ])
    );
    assert_eq!(up.stop().code(), Some(0));
    // The pack is there already when this one starts.
    let log = home.up(&[]).log();
    for command in ["attune-test-none", "attune-test-gauge"] {
        let warnings = |line: &&str| line.contains("Enabled sensors can not run") && line.contains(command);
        assert_eq!(log.lines().filter(warnings).count(), 1, "{log}");
    }
}

#[test]
fn up_refuses_a_faulty_pack() {
    let (home, _database) = Home::with_database();
    let (name, path, text) = FAULTS[3];
    pack::write(home.path(), name, &pack::demo_with(path, text));
    assert_terminal!("up_faulty_pack", home.refused_up(&["--packs", name]));
}
