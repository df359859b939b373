//! The owner of a run disappears: its future is dropped, or its whole process is killed.

use std::env;
use std::fs::{self, File};
use std::future;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use attune_process::daemon::{Daemon, DaemonSpec};
use attune_process::{Capture, Limits, Program, Rung, run};
use rustix::process::{Pid, Signal, kill_process};

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

fn daemon(mark: &Mark, script: &str) -> DaemonSpec {
    let program = mark.shell(script);
    let null = || File::create("/dev/null").unwrap();
    DaemonSpec {
        argv: program.argv,
        env: program.env,
        cwd: program.cwd,
        uid_gid: None,
        death_signal: 2,
        stdout: null(),
        stderr: null(),
    }
}

#[tokio::test]
async fn a_dropped_daemon_gets_its_death_signal_and_is_reaped() {
    let mark = Mark::new();
    let daemon =
        Daemon::start(daemon(&mark, "trap 'exit 0' INT; trap '' TERM; while :; do :; done")).await.unwrap();
    mark.await_bearers(1);
    drop(daemon);
    mark.await_bearers(0);
    until("no zombie", || zombies().is_empty());
}

/// The variables by which a copy of this test program knows what it is to do until it is killed.
const RUNNING: &str = "ATTUNE_TEST_RUNNING";
const KEEPING: &str = "ATTUNE_TEST_KEEPING";
const STARTING: &str = "ATTUNE_TEST_STARTING";

/// Not a test of its own: the process that the next tests kill. Without the variables there is nothing to do.
#[tokio::test]
async fn victim() {
    if let Ok(mark) = env::var(RUNNING) {
        let program = Mark::named(&mark).shell(TREE);
        let mut capture = Capture::within(&program.limits);
        run(program, &mut capture, future::pending()).await.unwrap();
    }
    if let Ok(mark) = env::var(KEEPING) {
        let daemon = Daemon::start(daemon(&Mark::named(&mark), "exec sleep 1000")).await.unwrap();
        daemon.exited().await.unwrap();
    }
    if let Ok(file) = env::var(STARTING) {
        fs::write(file, Rung::of(&Limits::default()).await.as_str()).unwrap();
    }
}

fn victim_with(variable: &str, value: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "survivors::victim"])
        .env(variable, value)
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Starts the victim, waits for its processes, and kills it and nothing else.
fn kill_the_service(mark: &Mark, variable: &str, processes: usize) {
    let mut service = victim_with(variable, mark.name());
    mark.await_bearers(processes);
    service.kill().unwrap();
    service.wait().unwrap();
    mark.await_bearers(0);
}

#[test]
fn a_service_that_is_killed_takes_its_runs_along() {
    kill_the_service(&Mark::new(), RUNNING, TREE_SIZE);
}

#[test]
fn a_service_that_is_killed_takes_its_daemon_along() {
    kill_the_service(&Mark::new(), KEEPING, 1);
}

/// A service starts, and says how it would kill.
fn start_another() -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(victim_with(STARTING, file.path().to_str().unwrap()).wait().unwrap().success());
    fs::read_to_string(file.path()).unwrap()
}

#[test]
fn a_service_that_is_killed_with_its_launchers_is_swept_up_after_by_the_next() {
    if start_another() != Rung::Cgroup.as_str() {
        return;
    }
    let mark = Mark::new();
    let mut service = victim_with(RUNNING, mark.name());
    mark.await_bearers(TREE_SIZE);
    let is_launcher =
        |pid: &&u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().contains("launcher");
    let bearers = mark.bearers();
    let launcher = Pid::from_raw(bearers.iter().find(is_launcher).unwrap().cast_signed()).unwrap();
    kill_process(launcher, Signal::STOP).unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    kill_process(launcher, Signal::KILL).unwrap();
    start_another();
    mark.await_bearers(0);
}
