//! Programs that do not keep within their bounds.

use std::future;
use std::time::Duration;

use attune_process::{Capture, Outcome, Stream, StreamLimit, run};

use crate::guest::{LONG, Mark, run_captured, run_until_it_speaks};

#[tokio::test]
async fn a_program_that_hangs_is_ended() {
    let mark = Mark::new();
    let mut program = mark.shell("sleep 1000; true");
    (program.limits.time, program.limits.grace) = (Duration::from_millis(50), LONG);
    let (finished, ..) = run_captured(program).await;
    let finished = finished.unwrap();
    assert_eq!(finished.outcome, Outcome::TimedOut);
    assert!(finished.wall < LONG, "it ended when it was asked to: {finished:?}");
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_program_that_does_not_listen_is_killed_after_the_grace() {
    let mark = Mark::new();
    let program = mark.shell("trap '' TERM; echo ready; while :; do sleep 1000; done");
    let grace = program.limits.grace;
    let (finished, _) = run_until_it_speaks(program).await;
    assert_eq!(finished.outcome, Outcome::Stopped);
    assert!(finished.wall >= grace, "{finished:?}");
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_program_may_clean_up_and_say_so() {
    // A child that has not executed yet would take the request with its parent's trap, and forget it.
    let script = "trap 'echo cleaned; exit 0' TERM; sleep 1000 & \
                  until grep -q sleep /proc/$!/comm; do :; done; echo ready; wait";
    let mut program = Mark::new().shell(script);
    program.limits.grace = LONG;
    let (finished, stdout) = run_until_it_speaks(program).await;
    assert_eq!((finished.outcome, stdout.as_str()), (Outcome::Stopped, "ready\ncleaned\n"));
}

#[tokio::test]
async fn even_a_stopped_program_ends() {
    let mut program = Mark::new().shell("kill -STOP $$");
    program.limits.time = Duration::from_millis(50);
    assert_eq!(run_captured(program).await.0.unwrap().outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn a_program_that_stops_its_launcher_ends_too() {
    let mark = Mark::new();
    let mut program = mark.shell("kill -STOP $PPID; sleep 1000");
    program.limits.time = Duration::from_millis(50);
    assert_eq!(run_captured(program).await.0.unwrap().outcome, Outcome::TimedOut);
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn eleven_megabytes_are_one_too_many() {
    let mark = Mark::new();
    let program = mark.shell("head -c 11000000 /dev/zero | tr '\\0' x; sleep 1000");
    let (finished, stdout, _) = run_captured(program).await;
    assert_eq!(finished.unwrap().outcome, Outcome::OutputLimit(Stream::Stdout));
    assert_eq!(stdout.len(), 10_000_000);
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn too_much_is_noticed_also_in_a_program_that_has_just_ended() {
    let mut program = Mark::new().shell("echo 0123456789");
    program.limits.stdout = StreamLimit::kill(10);
    let (finished, stdout, _) = run_captured(program).await;
    assert_eq!(
        (finished.unwrap().outcome, stdout.as_str()),
        (Outcome::OutputLimit(Stream::Stdout), "0123456789")
    );
}

#[tokio::test]
async fn exactly_the_limit_is_allowed() {
    let mut program = Mark::new().shell("echo 123456789; echo 123456789 >&2");
    (program.limits.stdout, program.limits.stderr) = (StreamLimit::kill(10), StreamLimit::kill(10));
    assert_eq!(run_captured(program).await.0.unwrap().outcome, Outcome::Exited(0));
}

#[tokio::test]
async fn a_flood_of_messages_neither_blocks_nor_drowns_the_result() {
    let script = "echo first >&2; head -c 3000000 /dev/zero >&2; echo last >&2; echo result";
    let (finished, stdout, stderr) = run_captured(Mark::new().shell(script)).await;
    assert_eq!((finished.unwrap().outcome, stdout.as_str()), (Outcome::Exited(0), "result\n"));
    assert!(stderr.starts_with("first\n") && stderr.ends_with("last\n"));
    assert!(stderr.len() < 300_000 && stderr.contains(" bytes omitted "));
}

#[tokio::test]
async fn an_endless_flood_ends_at_the_time_limit() {
    let mut program = Mark::new().shell("exec cat /dev/zero >&2");
    program.limits.time = Duration::from_millis(100);
    let (finished, ..) = run_captured(program).await;
    assert_eq!(finished.unwrap().outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn a_flood_ends_at_once_when_its_stream_is_bounded() {
    let mut program = Mark::new().shell("exec cat /dev/zero >&2");
    program.limits.stderr = StreamLimit::kill(100_000);
    let (finished, _, stderr) = run_captured(program).await;
    assert_eq!(finished.unwrap().outcome, Outcome::OutputLimit(Stream::Stderr));
    assert_eq!(stderr.len(), 100_000);
}

#[tokio::test]
async fn full_input_does_not_hold_up_the_time_limit() {
    let mut program = Mark::new().shell("sleep 1000");
    program.stdin = vec![b'x'; 200_000];
    program.limits.time = Duration::from_millis(50);
    assert_eq!(run_captured(program).await.0.unwrap().outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn it_stops_when_asked_to() {
    let mark = Mark::new();
    let (finished, stdout) = run_until_it_speaks(mark.shell("echo up; sleep 1000")).await;
    assert_eq!((finished.outcome, stdout.as_str()), (Outcome::Stopped, "up\n"));
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_stop_before_the_start_is_not_lost() {
    let mark = Mark::new();
    let program = mark.shell("sleep 1000");
    let mut capture = Capture::within(&program.limits);
    let finished = run(program, &mut capture, future::ready(())).await.unwrap();
    assert_eq!(finished.outcome, Outcome::Stopped);
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn times_beyond_all_clocks_are_no_limit() {
    let mut program = Mark::new().shell("exit 5");
    (program.limits.time, program.limits.grace, program.limits.drain) =
        (Duration::MAX, Duration::MAX, Duration::MAX);
    assert_eq!(run_captured(program).await.0.unwrap().outcome, Outcome::Exited(5));
}
