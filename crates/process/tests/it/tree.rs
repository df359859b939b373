//! Processes that try to outlive their program.

use std::time::Duration;

use attune_process::{LaunchError, Outcome};

use crate::guest::{DOUBLE_FORK, LONG, Mark, run_captured};

/// Runs it with this much time to drain, and expects it to end by itself and alone.
async fn ends_alone(mark: &Mark, argv: &[&str], drain: Duration) -> (Duration, String) {
    let mut program = mark.program(argv);
    (program.limits.time, program.limits.drain) = (LONG * 2, drain);
    let (finished, stdout, stderr) = run_captured(program).await;
    let finished = finished.unwrap();
    assert_eq!(finished.outcome, Outcome::Exited(0), "{stderr}");
    assert_eq!(finished.survivors, 0);
    assert_eq!(mark.bearers(), []);
    (finished.wall, stdout)
}

#[tokio::test]
async fn a_background_child_of_a_finished_program_is_gone() {
    let mark = Mark::new();
    let (wall, _) = ends_alone(&mark, &["/bin/sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 0"], LONG).await;
    assert!(wall < LONG, "nobody waits for a child without streams: {wall:?}");
}

#[tokio::test]
async fn a_child_that_holds_the_streams_delays_the_end_by_the_drain_only() {
    let (mark, drain) = (Mark::new(), Duration::from_millis(200));
    let (wall, stdout) = ends_alone(&mark, &["/bin/sh", "-c", "sleep 1000 & echo done"], drain).await;
    assert_eq!(stdout, "done\n");
    assert!(wall >= drain && wall < LONG, "{wall:?}");
}

#[tokio::test]
async fn a_child_may_finish_its_sentence_within_the_drain() {
    let script = "(while [ -d /proc/$$ ]; do :; done; echo late) & echo early";
    let (_, stdout) = ends_alone(&Mark::new(), &["/bin/sh", "-c", script], LONG).await;
    assert_eq!(stdout, "early\nlate\n");
}

#[tokio::test]
async fn a_session_of_its_own_does_not_help() {
    let mark = Mark::new();
    ends_alone(&mark, &["/bin/sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & exit 0"], LONG).await;
}

#[tokio::test]
async fn a_double_fork_does_not_help() {
    let mark = Mark::new();
    ends_alone(&mark, &["/usr/bin/python3", "-c", DOUBLE_FORK], LONG).await;
}

#[tokio::test]
async fn a_double_fork_of_a_program_that_hangs_does_not_help() {
    let mark = Mark::new();
    let script = format!("{DOUBLE_FORK}\ntime.sleep(1000)");
    let mut program = mark.program(&["/usr/bin/python3", "-c", &script]);
    program.limits.time = Duration::from_millis(300);
    assert_eq!(run_captured(program).await.0.unwrap().outcome, Outcome::TimedOut);
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_storm_of_children_that_ignore_every_request_ends() {
    let mark = Mark::new();
    let script = "trap '' TERM INT HUP; i=0; while [ $i -lt 40 ]; do i=$((i+1)); \
                  setsid sh -c 'sleep 1000 & wait; sleep 1000' & done; wait; sleep 1000";
    let mut program = mark.shell(script);
    program.limits.time = Duration::from_millis(400);
    program.limits.grace = Duration::from_millis(100);
    let finished = run_captured(program).await.0.unwrap();
    assert_eq!((finished.outcome, finished.survivors), (Outcome::TimedOut, 0));
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn children_that_keep_being_reborn_end() {
    let mark = Mark::new();
    // Each starts its successor and is gone before it can be pointed at. There are never more than a few.
    let script =
        r#"echo 'setsid /bin/sh "$0" &' >"$0"; for line in 1 2 3 4; do sh "$0"; done; exec sleep 1000"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut program = mark.program(&["/bin/sh", "-c", script, file.path().to_str().unwrap()]);
    program.limits.time = Duration::from_millis(200);
    program.limits.grace = Duration::ZERO;
    let finished = run_captured(program).await.0.unwrap();
    assert_eq!((finished.outcome, finished.survivors), (Outcome::TimedOut, 0));
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_chain_of_forks_that_never_stays_ends() {
    let mark = Mark::new();
    let mut program =
        mark.program(&["/usr/bin/perl", "-e", "if (!fork) { fork and exit while 1 } sleep 1000"]);
    program.limits.time = Duration::from_millis(200);
    program.limits.grace = Duration::ZERO;
    let finished = run_captured(program).await.0.unwrap();
    assert_eq!((finished.outcome, finished.survivors), (Outcome::TimedOut, 0));
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_program_that_kills_its_launcher_dies_with_it() {
    let mark = Mark::new();
    let (finished, ..) = run_captured(mark.shell("kill -9 $PPID; exec sleep 1000")).await;
    assert!(matches!(finished, Err(LaunchError::LauncherLost { .. })), "{finished:?}");
    mark.await_bearers(0);
}
