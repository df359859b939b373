//! How shell actions read their parameters, with every awk and shell that this machine has.

use std::process::Command;

use serde_json::{Value, json};

use crate::program::{Finished, packs, run};

fn shells() -> impl Iterator<Item = &'static str> {
    ["sh", "bash", "dash", "busybox"].into_iter().filter(|shell| {
        Command::new(shell).args(["-c", ":"]).output().is_ok_and(|output| output.status.success())
    })
}

fn action(shell: &str, name: &str, params: &Value) -> Finished {
    run(Command::new(shell).arg(packs().join("core/actions").join(name)), &params.to_string())
}

/// What a command sees of a parameter is printed back.
fn written(shell: &str, content: &Value) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let done = action(shell, "write_file.sh", &json!({"content": content, "path": path}));
    assert_eq!((done.code, done.log.as_str()), (Some(0), ""), "{content}");
    assert_eq!(serde_json::from_str::<Value>(&done.stdout).unwrap(), json!({"path": path}));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn texts_arrive_as_they_are() {
    let texts = [
        "",
        "plain",
        "two\nlines\n\n\n",
        "quotes \" ' ` $HOME $(id) \\ \\n \\\\ %s %b \\0101 \\c",
        "\u{1} \u{7f} \t \r\n \u{8} \u{c} /",
        "\u{fc} \u{2603} \u{1f600} \u{10ffff} \u{fffd}",
        "}{][,:",
        "-n -e --",
    ];
    for shell in shells() {
        for text in texts {
            assert_eq!(written(shell, &json!(text)), text, "{shell}");
        }
    }
}

#[test]
fn escapes_of_every_writer_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let params = format!(
        " {{ \"a\" : [ {{\"content\":\"no\"}}, \"]}}\" , -1.5e3, true ] ,\n \"content\"\t: \
         \"\\u00fc\\u2603\\ud83d\\ude00\\/\\u0041\\\"\\\\\\n\\ud800.\" , \"path\":{}}} \n",
        json!(path)
    );
    for shell in shells() {
        let done = run(Command::new(shell).arg(packs().join("core/actions/write_file.sh")), &params);
        assert_eq!(done.code, Some(0), "{}", done.log);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\u{fc}\u{2603}\u{1f600}/A\"\\\n\u{fffd}.");
    }
}

#[test]
fn other_values_arrive_as_json() {
    for value in
        [json!(5), json!(true), json!({"a": ["\\", "\n", 1.5]}), json!([]), json!(["\\\"".repeat(2000)])]
    {
        assert_eq!(serde_json::from_str::<Value>(&written("sh", &value)).unwrap(), value);
    }
    assert_eq!(written("sh", &Value::Null), "");
}

#[test]
fn long_texts_are_no_trouble() {
    let text = "line \"with\" \\ and \u{fc}\n".repeat(50_000);
    assert_eq!(written("sh", &json!(text)), text);
}

#[test]
fn every_text_arrives() {
    // Each byte that a character may begin or end with, beside each character that is special to JSON, awk or a shell.
    let mut text = String::new();
    for code in (1..0x300).chain(0x1f5f0..0x1f650).filter_map(char::from_u32) {
        for special in ['\\', '"', '%', '0', '\n'] {
            text.extend([code, special]);
        }
    }
    assert_eq!(written("sh", &json!(text)), text);
}

#[test]
fn a_command_decides_its_result_and_its_exit_code() {
    for shell in shells() {
        let command = "printf '%s' \"$PWD\"; cat; echo log >&2; exit 3";
        let done = action(shell, "run_command.sh", &json!({"command": command, "directory": "/usr"}));
        assert_eq!((done.code, done.stdout.as_str(), done.log.as_str()), (Some(3), "/usr", "log\n"));
        let done = action(shell, "run_command.sh", &json!({}));
        assert_eq!((done.code, done.log.as_str()), (Some(1), "the parameter command is missing\n"));
    }
}

#[test]
fn files_are_replaced_in_one_step_or_appended_to() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a file");
    let write = |more: Value| {
        let mut params = json!({"path": path, "content": "x"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(action("sh", "write_file.sh", &params).code, Some(0));
        (
            std::fs::read_to_string(&path).unwrap(),
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        )
    };
    assert_eq!(write(json!({"mode": "0640"})), ("x".into(), 0o640));
    assert_eq!(write(json!({})), ("x".into(), 0o640));
    assert_eq!(write(json!({"append": true})), ("xx".into(), 0o640));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let done = action("sh", "write_file.sh", &json!({"path": "/none/x", "content": ""}));
    assert_ne!(done.code, Some(0));
}
