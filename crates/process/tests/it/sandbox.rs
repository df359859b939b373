//! What a program in a sandbox sees, and what it can do.

use std::fs;

use attune_process::{LaunchError, Level, Outcome, Program, Resources};
use tempfile::TempDir;

use crate::guest::{Mark, run_captured};

/// A script in a working directory of its own, confined to the level.
fn confined(mark: &Mark, level: Level, script: &str) -> (Program, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut program = mark.shell(script);
    program.cwd = directory.path().into();
    program.limits.confine(level);
    (program, directory)
}

async fn says(level: Level, script: &str) -> String {
    let (program, _directory) = confined(&Mark::new(), level, script);
    let (finished, stdout, stderr) = run_captured(program).await;
    assert_eq!(finished.unwrap().outcome, Outcome::Exited(0), "{stderr}");
    stdout
}

async fn can(level: Level) -> bool {
    Level::available().await.contains(&level)
}

#[tokio::test]
async fn the_weaker_levels_are_always_there() {
    let available = Level::available().await;
    assert_eq!(available[..2], [Level::None, Level::Process]);
}

#[tokio::test]
async fn without_a_level_there_are_no_limits() {
    let script = "grep NoNewPrivs /proc/self/status; ulimit -f";
    assert_eq!(says(Level::None, script).await, "NoNewPrivs:\t0\nunlimited\n");
}

#[tokio::test]
async fn a_process_has_no_new_privileges_and_honest_limits() {
    let script = "grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -n; ulimit -f";
    assert_eq!(says(Level::Process, script).await, "NoNewPrivs:\t1\n0\n4096\n2097152\n");
}

#[tokio::test]
async fn a_namespace_has_its_own_processes_and_temporary_directory() {
    if !can(Level::Namespace).await {
        return;
    }
    let outside = tempfile::tempdir_in("/tmp").unwrap();
    let script = format!(
        "echo $PPID; ls -d /proc/[0-9]* | wc -l; ls -d {} 2>/dev/null || echo hidden; echo here >file; cat file",
        outside.path().display()
    );
    let said = says(Level::Namespace, &script).await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "1", "its parent is the launcher's copy");
    assert!(lines[1].parse::<u32>().unwrap() <= 5, "it sees its own processes only: {said}");
    assert_eq!(lines[2..], ["hidden", "here"]);
}

#[tokio::test]
async fn what_it_writes_into_its_directory_stays() {
    for level in Level::available().await {
        let (program, directory) = confined(&Mark::new(), level, "echo kept >file");
        let (finished, _, stderr) = run_captured(program).await;
        assert!(finished.unwrap().outcome.is_success(), "{level:?}: {stderr}");
        assert_eq!(fs::read_to_string(directory.path().join("file")).unwrap(), "kept\n", "{level:?}");
    }
}

#[tokio::test]
async fn what_it_is_to_see_is_there_and_in_strict_cannot_be_changed() {
    let shown = tempfile::tempdir_in("/tmp").unwrap();
    fs::write(shown.path().join("code"), "text\n").unwrap();
    for level in [Level::Namespace, Level::Strict] {
        if !can(level).await {
            continue;
        }
        let script =
            format!("cat {0}/code; touch {0}/new 2>/dev/null || echo refused", shown.path().display());
        let (mut program, _directory) = confined(&Mark::new(), level, &script);
        program.limits.visible = vec![shown.path().to_owned()];
        let (_, stdout, stderr) = run_captured(program).await;
        let expected = if level == Level::Strict { "text\nrefused\n" } else { "text\n" };
        assert_eq!(stdout, expected, "{level:?}: {stderr}");
    }
}

#[tokio::test]
async fn strict_can_change_nothing_else_and_reaches_nobody() {
    if !can(Level::Strict).await {
        return;
    }
    let elsewhere = tempfile::tempdir_in("/var/tmp").unwrap();
    let script = format!(
        "for place in {} /etc /usr /proc/sys/kernel/hostname; do touch $place/x 2>/dev/null && echo wrote $place; done
         echo scratch >/tmp/scratch && echo shared >/dev/shm/shared && cat /tmp/scratch /dev/shm/shared
         ls /dev | tr '\\n' ' '; echo; grep -c : /proc/net/dev; echo gone >/dev/null; head -c 3 /dev/zero | wc -c",
        elsewhere.path().display()
    );
    let said = says(Level::Strict, &script).await;
    let devices = "fd full null random shm stderr stdin stdout urandom zero ";
    assert_eq!(said, format!("scratch\nshared\n{devices}\n1\n3\n"), "one network device, the loopback");
    assert!(!std::path::Path::new("/tmp/scratch").exists(), "its temporary directory was its own");
}

#[tokio::test]
async fn the_streams_and_the_exit_code_are_as_without() {
    for level in Level::available().await {
        let (mut program, _directory) = confined(&Mark::new(), level, "cat; echo oops >&2; exit 7");
        program.stdin = b"hello".into();
        let (finished, stdout, stderr) = run_captured(program).await;
        assert_eq!(finished.unwrap().outcome, Outcome::Exited(7));
        assert_eq!((stdout.as_str(), stderr.as_str()), ("hello", "oops\n"), "{level:?}");
    }
}

#[tokio::test]
async fn errors_of_the_start_are_named_as_without() {
    for level in Level::available().await {
        let (mut program, _directory) = confined(&Mark::new(), level, "");
        program.argv = vec!["/does/not/exist".into()];
        let error = run_captured(program).await.0.unwrap_err();
        assert!(matches!(error, LaunchError::NotFound { .. }), "{level:?}: {error}");
    }
}

#[tokio::test]
async fn a_polite_end_reaches_into_it() {
    for level in Level::available().await {
        let mark = Mark::new();
        let script = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do :; done";
        let (mut program, _directory) = confined(&mark, level, script);
        program.limits.grace = crate::guest::LONG;
        let (finished, stdout) = crate::guest::run_until_it_speaks(program).await;
        assert_eq!((finished.outcome, stdout.as_str()), (Outcome::Stopped, "ready\ncleaned\n"), "{level:?}");
        assert_eq!(mark.bearers(), []);
    }
}

#[tokio::test]
async fn who_takes_too_much_is_ended_and_told_why() {
    let hog = "python3 -c 'held = bytearray(200_000_000); import time; time.sleep(1000)' & wait";
    for (script, resources, told) in [
        (
            hog,
            Resources { memory_bytes: Some(100_000_000), ..Resources::default() },
            "memory than its limit of 100 MB",
        ),
        (
            "while :; do :; done",
            Resources { cpu_seconds: Some(1), ..Resources::default() },
            "time than its limit of 1 s",
        ),
        (
            "head -c 5000 /dev/zero >f",
            Resources { file_bytes: Some(4096), ..Resources::default() },
            "limit of 4096 bytes",
        ),
    ] {
        let mark = Mark::new();
        let (mut program, _directory) = confined(&mark, Level::None, script);
        program.limits.resources = resources;
        let outcome = run_captured(program).await.0.unwrap().outcome;
        assert!(matches!(outcome, Outcome::Excess(_)) && outcome.to_string().ends_with(told), "{outcome}");
        assert_eq!(mark.bearers(), []);
    }
}
