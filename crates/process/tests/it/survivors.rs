//! The owner of a run disappears: its future is dropped, or its whole process is killed.

use std::env;
use std::future;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use attune_process::{Capture, Program, run};

use crate::guest::{Mark, until, zombies};

/// Three processes beside the launcher, two of which left the session and do not listen to SIGTERM.
const TREE: &str = "trap '' TERM; setsid sleep 1000 & setsid sleep 1001 & sleep 1002";
const TREE_SIZE: usize = 4 + 1;

fn spawn(program: Program) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut capture = Capture::within(&program.limits);
        run(program, &mut capture, future::pending()).await.unwrap();
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_run_leaves_neither_process_nor_zombie() {
    let mark = Mark::new();
    let task = spawn(mark.shell(TREE));
    mark.await_bearers(TREE_SIZE);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    mark.await_bearers(0);
    until("no zombie", || zombies().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_are_dropped_at_any_moment_leave_nothing() {
    let mark = Mark::new();
    for step in 0..60 {
        let program = mark.shell("setsid sleep 1000 & sleep 1000");
        let mut capture = Capture::within(&program.limits);
        let moment = Duration::from_micros(step * 50);
        let running = run(program, &mut capture, future::pending());
        assert!(tokio::time::timeout(moment, running).await.is_err());
    }
    mark.await_bearers(0);
    until("no zombie", || zombies().is_empty());
}

#[test]
fn a_runtime_that_ends_takes_its_runs_along() {
    let mark = Mark::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let program = mark.shell(TREE);
    runtime.spawn(async move {
        let mut capture = Capture::within(&program.limits);
        run(program, &mut capture, future::pending()).await
    });
    mark.await_bearers(TREE_SIZE);
    drop(runtime);
    mark.await_bearers(0);
    until("no zombie", || zombies().is_empty());
}

/// The variable by which a copy of this test program knows that it is to be killed.
const VICTIM: &str = "ATTUNE_TEST_VICTIM";

/// Not a test of its own: the process that the next test kills. Without the variable there is nothing to do.
#[test]
fn victim() {
    let Ok(mark) = env::var(VICTIM) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let program = Mark::named(&mark).shell(TREE);
        let mut capture = Capture::within(&program.limits);
        run(program, &mut capture, future::pending()).await.unwrap();
    });
}

#[test]
fn a_service_that_is_killed_takes_its_runs_along() {
    let mark = Mark::new();
    let mut service = Command::new(env::current_exe().unwrap())
        .args(["--exact", "survivors::victim"])
        .env(VICTIM, mark.name())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    mark.await_bearers(TREE_SIZE);
    service.kill().unwrap();
    service.wait().unwrap();
    mark.await_bearers(0);
}
