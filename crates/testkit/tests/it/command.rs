//! `with-postgres`, as `make test` and people use it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

fn with_postgres(arguments: &[&str], script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    command.args(arguments).args(["--", "sh", "-c", script]).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn passes_the_cluster_in_and_the_exit_code_out() {
    let output = with_postgres(&[], "echo \"$ATTUNE_TEST_DATABASE_URL\"; exit 7").output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output).starts_with("postgresql:///attune?host=/"), "{output:?}");
}

#[test]
fn migrates_when_asked() {
    let script = "psql -XAt \"$DATABASE_URL\" -c 'SELECT ref FROM runtime ORDER BY ref LIMIT 1'";
    let output = with_postgres(&["--migrated"], script).output().unwrap();
    assert_eq!(text(&output), "core.native\n", "{output:?}");
}

#[test]
fn says_by_which_signal_the_command_died() {
    let output = with_postgres(&[], "kill -KILL $$").output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 9));
}

#[test]
fn lets_the_command_decide_about_signals() {
    let script = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 1 & wait $!; done";
    let mut process = with_postgres(&[], script).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "asked\n");
    assert_eq!(process.wait().unwrap().code(), Some(3));
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_with-postgres")).args(["--", "/no/such"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot start /no/such"), "{output:?}");
}
