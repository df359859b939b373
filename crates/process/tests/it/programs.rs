//! What a program sees, and what is said of how it ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use attune_process::{LaunchError, Outcome, Resources};

use crate::guest::{Mark, run_captured};

#[tokio::test]
async fn exit_codes_come_through() {
    for code in [0, 1, 3, 125, 126, 127, 255] {
        let (finished, ..) = run_captured(Mark::new().shell(&format!("exit {code}"))).await;
        assert_eq!(finished.unwrap().outcome, Outcome::Exited(code));
    }
}

#[tokio::test]
async fn signals_come_through() {
    for signal in [1, 9, 11, 15] {
        let (finished, ..) = run_captured(Mark::new().shell(&format!("kill -{signal} $$"))).await;
        assert_eq!(finished.unwrap().outcome, Outcome::Signalled(signal));
    }
}

#[tokio::test]
async fn both_streams_are_kept_apart() {
    let (finished, stdout, stderr) = run_captured(Mark::new().shell("echo out; echo err >&2")).await;
    assert!(finished.unwrap().outcome.is_success());
    assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_nothing_else() {
    let mark = Mark::new();
    let mut program = mark.program(&["/usr/bin/env"]);
    program.env.push(("WITH SPACE".into(), "a=b\nc".into()));
    let (_, stdout, _) = run_captured(program).await;
    assert_eq!(stdout, format!("PATH=/usr/bin:/bin\nMARK={}\nWITH SPACE=a=b\nc\n", mark.name()));
}

#[tokio::test]
async fn the_directory_is_the_given_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = Mark::new().program(&["/bin/pwd"]);
    program.cwd = directory.path().to_owned();
    let (_, stdout, _) = run_captured(program).await;
    assert_eq!(Path::new(stdout.trim_end()), directory.path());
}

#[tokio::test]
async fn no_descriptor_but_the_three_is_inherited() {
    // One that nobody protected: a copy without close-on-exec.
    let careless = rustix::io::dup(fs::File::open("/etc/passwd").unwrap()).unwrap();
    let mut program = Mark::new().program(&["/bin/ls", "/proc/self/fd"]);
    program.stdin = b"some".into();
    let (_, stdout, _) = run_captured(program).await;
    drop(careless);
    // The fourth is the directory that is being listed.
    assert_eq!(stdout, "0\n1\n2\n3\n");
}

#[tokio::test]
async fn signals_are_neither_blocked_nor_ignored() {
    let (_, stdout, _) =
        run_captured(Mark::new().program(&["/bin/grep", "^Sig[BI]", "/proc/self/status"])).await;
    assert_eq!(stdout, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

#[tokio::test]
async fn it_leads_a_session_of_its_own() {
    let script = "set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && echo leads";
    let (_, stdout, _) = run_captured(Mark::new().shell(script)).await;
    assert_eq!(stdout, "leads\n");
}

#[tokio::test]
async fn no_input_is_an_input_that_ends_at_once() {
    let (finished, stdout, _) = run_captured(Mark::new().program(&["/bin/cat"])).await;
    assert!(finished.unwrap().outcome.is_success());
    assert_eq!(stdout, "");
}

#[tokio::test]
async fn input_larger_than_a_pipe_is_read_whole() {
    let mut program = Mark::new().program(&["/usr/bin/wc", "-c"]);
    program.stdin = vec![b'x'; 1_000_003];
    let (finished, stdout, _) = run_captured(program).await;
    assert!(finished.unwrap().outcome.is_success());
    assert_eq!(stdout.trim(), "1000003");
}

#[tokio::test]
async fn input_that_nobody_reads_is_harmless() {
    for script in ["exit 4", "exec <&-; echo closed; exit 4", "head -c 1 >/dev/null; exec <&-; exit 4"] {
        let mut program = Mark::new().shell(script);
        program.stdin = vec![b'x'; 200_000];
        let (finished, ..) = run_captured(program).await;
        assert_eq!(finished.unwrap().outcome, Outcome::Exited(4), "{script}");
    }
}

#[tokio::test]
async fn usage_counts_the_whole_tree() {
    let script = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done & wait";
    let (finished, ..) = run_captured(Mark::new().shell(script)).await;
    let finished = finished.unwrap();
    assert!(!finished.usage.cpu_user.is_zero(), "{finished:?}");
    assert!(finished.usage.max_rss_bytes > 100_000, "{finished:?}");
    assert!(finished.wall >= finished.usage.cpu_user, "{finished:?}");
    assert_eq!(finished.survivors, 0);
}

#[tokio::test]
async fn resource_limits_and_privileges_are_in_force() {
    let mut program =
        Mark::new().shell("ulimit -n; ulimit -Hn; ulimit -t; ulimit -Ht; grep NoNewPrivs /proc/self/status");
    program.limits.resources =
        Resources { open_files: Some(77), cpu_seconds: Some(88), ..Resources::default() };
    program.limits.no_new_privileges = true;
    let (_, stdout, _) = run_captured(program).await;
    assert_eq!(stdout, "77\n77\n88\n89\nNoNewPrivs:\t1\n");
    let (_, stdout, _) = run_captured(Mark::new().shell("grep NoNewPrivs /proc/self/status")).await;
    assert_eq!(stdout, "NoNewPrivs:\t0\n");
}

async fn error_of(file: &Path) -> LaunchError {
    run_captured(Mark::new().program(&[file.to_str().unwrap()])).await.0.unwrap_err()
}

#[tokio::test]
async fn what_cannot_be_executed_is_a_named_error() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str, text: &str, mode: u32| {
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    };
    assert!(matches!(error_of(&directory.path().join("missing")).await, LaunchError::NotFound { .. }));
    assert!(matches!(error_of(directory.path()).await, LaunchError::Denied { .. }));
    assert!(matches!(error_of(&place("plain", "#!/bin/sh\n", 0o644)).await, LaunchError::Denied { .. }));
    assert!(matches!(
        error_of(&place("no-shebang", "echo hello\n", 0o755)).await,
        LaunchError::NotAProgram { .. }
    ));
    let lost = place("lost", "#!/no/such/interpreter\n", 0o755);
    assert!(matches!(error_of(&lost).await, LaunchError::InterpreterNotFound { .. }));
}

#[tokio::test]
async fn what_cannot_be_ordered_is_a_named_error() {
    let refused = |program| async { run_captured(program).await.0.unwrap_err() };
    let mut nowhere = Mark::new().shell("true");
    nowhere.cwd = "/no/such/directory".into();
    assert!(matches!(refused(nowhere).await, LaunchError::Directory { .. }));
    assert!(matches!(refused(Mark::new().program(&["sh"])).await, LaunchError::NotAbsolute(_)));
    assert!(matches!(refused(Mark::new().program(&[])).await, LaunchError::NotAbsolute(_)));
    assert!(matches!(
        refused(Mark::new().program(&["/bin/sh", "a\0b"])).await,
        LaunchError::Unrepresentable { .. }
    ));
    let huge = "x".repeat(4_000_000);
    assert!(matches!(
        refused(Mark::new().program(&["/bin/true", &huge])).await,
        LaunchError::TooLarge { .. }
    ));
}
