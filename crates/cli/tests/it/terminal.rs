//! What programs wrote reaches a terminal as something to read, and a pipe as it is. `script` brings the terminal.

use std::process::{Command, Stdio};

use crate::eventually::eventually;
use crate::home::Home;
use crate::pack;

/// Clears the screen, rings, clears it again the short way, and turns the direction of writing.
const SH: &str = "#!/bin/sh\nprintf '\\033[2J\\007\\302\\2332J\\342\\200\\256end\\n' >&2\nprintf '\"\\\\u001b[2J\\\\u0007\\\\u009b2J\\\\u202eend\"'\n";
const RAW: &str = "\u{1b}[2J\u{7}\u{9b}2J\u{202e}end";
const SHOWN: &str = "\\u001b[2J\\u0007\\u009b2J\\u202eend";

/// What a terminal gets of a command, on stdout and stderr.
fn on_terminal(home: &Home, arguments: &[&str]) -> String {
    let attune = home.command::<&str>(&[]);
    let line = format!("attune {} --data-dir {}", arguments.join(" "), home.data_dir().display());
    let line = line.replacen("attune", env!("CARGO_BIN_EXE_attune"), 1);
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env_clear().env("SHELL", "/bin/sh").stdin(Stdio::null());
    for (name, value) in attune.get_envs() {
        script.envs(value.map(|value| (name, value)));
    }
    let output = script.current_dir(home.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_a_terminal_would_obey_is_shown_on_it_and_kept_for_a_pipe() {
    let (home, _database) = Home::with_database();
    let files = pack::demo_with("actions/bytes.sh", SH);
    pack::write(home.path(), "demo", &files);
    let _up = home.up(&["--packs", "demo"]);
    let ran = on_terminal(&home, &["action", "run", "demo.bytes"]);
    assert_eq!(ran, format!("{SHOWN}\r\n"));
    let id = home.json(&["execution", "list"])[0]["id"].to_string();
    let logs = ["execution", "logs", &id];
    eventually("the log is there", || {
        let shown = on_terminal(&home, &logs);
        (!shown.is_empty()).then(|| assert_eq!(shown, format!("{SHOWN}\r\n")))
    });
    let mut piped = home.command(&logs);
    let piped = piped.arg("--data-dir").arg(home.data_dir()).output().unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), format!("{RAW}\n"));
    for command in
        [&["execution", "list", "-o", "json"][..], &["execution", "show", &id], &["execution", "list"]]
    {
        let shown = on_terminal(&home, command);
        assert!(
            shown.contains("demo.bytes") && !shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
            "{shown:?}"
        );
    }
}

#[test]
fn a_failure_in_the_words_of_a_program_is_shown_too() {
    let (home, _database) = Home::with_database();
    pack::write(
        home.path(),
        "demo",
        &pack::demo_with("actions/fail.sh", "#!/bin/sh\nprintf '\\033]0;owned\\007' >&2\nexit 3\n"),
    );
    let _up = home.up(&["--packs", "demo"]);
    let shown = on_terminal(&home, &["action", "run", "demo.fail"]);
    assert!(shown.contains("failed") && !shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}
