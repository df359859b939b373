//! Which runtimes there are, who has them, and whether this machine does.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::database::Database;
use crate::home::{Answer, Home, assert_terminal};

/// Programs of this place, which are found before those of the system.
fn install(home: &Home, programs: &[(&str, &str)]) {
    let directory = home.path().join("bin");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, lines) in programs {
        let file = directory.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Types a command where only the programs of this place are found, and those they need.
fn answer(home: &Home, arguments: &[&str]) -> Answer {
    let mut command = home.command(&[arguments, &["--data-dir", home.data_dir().to_str().unwrap()]].concat());
    command.env("PATH", format!("{}:/bin", home.path().join("bin").display()));
    command.env("ATTUNE__LIMITS__VERIFICATION_TIMEOUT", "2");
    home.answer(command)
}

fn terminal(home: &Home, lines: &[&[&str]]) -> String {
    let show = |line: &&[&str]| format!("$ attune {}\n{}\n", line.join(" "), answer(home, line));
    lines.iter().map(show).collect()
}

/// What the core pack says how to install depends on the system that the test runs on.
fn without_hints(terminal: &str) -> String {
    let line = |line: &str| match line.split_once("install it: ") {
        Some((start, _)) => format!("{start}install it: [hint]\n"),
        None => format!("{line}\n"),
    };
    terminal.lines().map(line).collect()
}

/// A row whose `distributions` are SQL, and how to install it on every system that the tests run on.
fn add(database: &Database, name: &str, distributions: &str) {
    database.execute(&format!(
        "INSERT INTO runtime (ref, name, distributions, installation)
         VALUES ('test.' || lower('{name}'), '{name}', '{distributions}', '{{\"linux\": \"get it\"}}')"
    ));
}

fn by_commands(commands: &str) -> String {
    format!("{{\"verification\": {{\"commands\": [{commands}]}}}}")
}

#[test]
fn without_an_attune_the_runtimes_of_the_core_pack_are_explained() {
    let home = Home::new();
    install(
        &home,
        &[
            ("python3", "echo 'Python 3.9.2'"),
            ("python", "echo 'Python 2.7.18' >&2"),
            ("node", "echo v14.21.3"),
            ("nodejs", "echo v18.19.0"),
        ],
    );
    let shown = terminal(
        &home,
        &[
            &["runtime", "verify"],
            &["runtime", "verify", "Python3"],
            &["runtime", "verify", "node"],
            &["runtime", "verify", "core.pyhton"],
            &["runtime", "verify", "cobol"],
        ],
    );
    assert_terminal!("verify", without_hints(&shown));
}

#[test]
fn a_verdict_as_json_has_everything() {
    let home = Home::new();
    install(&home, &[("python3", "exit 1"), ("python", "echo 'Python 3.9.2'")]);
    let answer = answer(&home, &["runtime", "verify", "core.python", "-o", "json"]);
    assert_eq!(answer.code, 0, "{answer}");
    let mut verdicts: Value = serde_json::from_str(&answer.stdout).unwrap();
    let verdict = verdicts[0].as_object_mut().unwrap();
    let verified_at = verdict.remove("verified_at").unwrap();
    assert!(verified_at.as_str().unwrap().ends_with('Z'), "{verified_at}");
    assert!(verdict.remove("install").unwrap()[0]["command"].is_string());
    assert_eq!(
        verdicts,
        json!([{
            "ref": "core.python", "name": "Python", "available": true, "version": "3.9.2", "binary": "[home]/bin/python",
            "command": "python --version", "versions": [{"version": "3.9.2", "binary": "[home]/bin/python"}],
            "failures": [{"command": 0, "reason": "`python3`: it exited with code 1 instead of 0"}], "reason": null,
            "warning": "recommended_version: version 3.9.2 is below 3.11",
        }])
    );
}

#[test]
fn rows_of_every_kind_are_explained() {
    let (home, database) = Home::with_database();
    let _up = home.up(&[]);
    install(
        &home,
        &[
            ("noise", r"printf '\377\376 noise 1.2\n'"),
            ("endless", "exec cat /dev/zero"),
            ("fork", "(trap '' TERM HUP; exec sleep 600) & sleep 600"),
            ("alpha", "printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! 1.0'"),
            ("alpha2", "echo 2.0"),
        ],
    );
    std::fs::create_dir(home.path().join("bin/folder")).unwrap();
    database.execute("UPDATE runtime SET distributions = '{\"verification\": {\"always_available\": true}}'");
    add(
        &database,
        "Beside",
        &by_commands(r#"{"binary": "alpha2"}, {"binary": "alpha", "args": ["--version", "-x"]}"#),
    );
    add(&database, "Directory", &by_commands(r#"{"binary": "/usr"}, {"binary": "folder"}"#));
    add(&database, "Endless", &by_commands(r#"{"binary": "endless"}"#));
    add(
        &database,
        "Escape",
        &by_commands(r#"{"binary": "\u001b[2Jgone"}, {"binary": "alpha", "pattern": "\u001b[2J"}"#),
    );
    add(&database, "Fork", &by_commands(r#"{"binary": "fork"}"#));
    add(&database, "Noise", &by_commands(r#"{"binary": "noise", "pattern": "noise"}"#));
    add(
        &database,
        "Pattern",
        &by_commands(r#"{"binary": "alpha", "pattern": "(a"}, {"binary": "alpha", "pattern": "(a+)+$"}"#),
    );
    add(&database, "Relative", &by_commands(r#"{"binary": "./alpha"}, {"binary": "../bin/alpha"}"#));
    add(&database, "Shape", r#"[{"verification": 7}]"#);
    add(&database, "Old", r#"{"verification": {"commands": [{"binary": "alpha"}]}, "min_version": "9"}"#);
    assert_terminal!("verify_rows", terminal(&home, &[&["runtime", "verify"]]));

    let thousands = vec![r#"{"binary": "endless"}"#; 3000].join(",");
    add(&database, "Thousands", &by_commands(&thousands));
    let refused = answer(&home, &["runtime", "verify", "test.thousands"]);
    assert!(refused.stdout.contains("  because: 2968 more were not tried: 32 are the most\n"), "{refused}");
    assert_eq!((refused.code, refused.stdout.matches("  failed: `endless`: ").count()), (1, 32));
}

#[test]
fn the_list_says_which_live_workers_have_a_runtime() {
    let (home, database) = Home::with_database();
    let up = home.up(&[]);
    install(&home, &[("alpha", "echo 4.2")]);
    let binary = home.path().join("bin/alpha");
    add(&database, "Alpha", &by_commands(&json!({"binary": binary}).to_string()));
    database.eventually("SELECT 1 FROM worker HAVING bool_and(capabilities->'runtimes' ? 'alpha')");
    let workers =
        |home: &Home| home.json(&["runtime", "list", "--where", "ref=test.alpha"])[0]["workers"].clone();
    assert_eq!(
        workers(&home),
        json!([
            {"name": "sensor-test", "role": "sensor", "version": "4.2"},
            {"name": "worker-test", "role": "action", "version": "4.2"},
        ])
    );
    database.execute("UPDATE worker SET status = 'inactive' WHERE name = 'sensor-test'");
    assert_eq!(workers(&home).as_array().unwrap().len(), 1);
    drop(up);
}
