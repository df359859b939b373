//! What goes wrong in one turn is that turn's affair.

use std::future::pending;
use std::time::{Duration, Instant};

use attune_runtimes::host::TurnError;
use serde_json::json;

use super::machine::{Machine, exists, settings, until};

const PID: &str = "import os\ndef poll_sensor(config):\n    yield {'pid': os.getpid()}\n";

/// A poll that does this.
fn sensor(body: &str) -> String {
    format!(
        "import os, signal, sys, threading, time\ndef poll_sensor(config):\n    {body}\n    return None\n"
    )
}

#[tokio::test]
async fn a_host_that_ends_costs_its_poll() {
    let machine = Machine::new(settings());
    let exits = sensor("sys.stderr.write('no more\\n'); os._exit(3)");
    let killed = sensor("print('so long'); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)");
    let pack = machine.pack(&[("exits.py", &exits), ("killed.py", &killed), ("a.py", PID)]).await;
    let before = machine.pid(&pack, 1, "a.py").await;
    for (file, error, log) in [
        ("exits.py", "its warm host exited with code 3", "no more\n"),
        ("killed.py", "its warm host was ended by signal 9", "so long\n"),
    ] {
        assert_eq!(machine.error(&pack, 2, file).await, (error.to_owned(), log.to_owned()));
    }
    assert!(!exists(before));
    machine.pid(&pack, 1, "a.py").await;
}

#[tokio::test]
async fn a_host_that_was_killed_between_two_turns_costs_none() {
    let machine = Machine::new(settings());
    let pack = machine.pack(&[("a.py", PID)]).await;
    let pid = machine.pid(&pack, 1, "a.py").await;
    let victim = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(victim, rustix::process::Signal::KILL).unwrap();
    until("it is gone", || !exists(pid)).await;
    assert_ne!(machine.pid(&pack, 1, "a.py").await, pid);
}

#[tokio::test]
async fn a_hang_ends_at_its_time_limit_with_all_that_it_started() {
    let machine = Machine::new(settings());
    let hangs = "import os, subprocess, time\ndef poll_sensor(config):\n    yield {'pid': subprocess.Popen(['sleep', '600']).pid}\n    print('hanging', flush=True)\n    time.sleep(600)\n";
    let pack = machine.pack(&[("hangs.py", hangs), ("a.py", PID)]).await;
    machine.pid(&pack, 1, "a.py").await;
    let began = Instant::now();
    let (answer, heard) = machine.poll_until(&pack, (2, "hangs.py"), Duration::from_secs(1), pending()).await;
    assert!(matches!(answer, Err(TurnError::TimedOut)), "{answer:?}");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(heard.log, "hanging\n");
    machine.pid(&pack, 1, "a.py").await;
    assert_eq!(machine.hosts.census().hosts, 1);
}

#[tokio::test]
async fn a_turn_ends_when_it_is_told_to() {
    let machine = Machine::new(settings());
    let hangs = sensor("time.sleep(600)");
    let pack = machine.pack(&[("hangs.py", &hangs), ("a.py", PID)]).await;
    let before = machine.pid(&pack, 1, "a.py").await;
    let stop = tokio::time::sleep(Duration::from_millis(100));
    let (answer, _) = machine.poll_until(&pack, (2, "hangs.py"), Duration::from_mins(1), stop).await;
    assert!(matches!(answer, Err(TurnError::Stopped)), "{answer:?}");
    assert!(!exists(before));
}

#[tokio::test]
async fn a_flood_ends_at_the_limit() {
    let machine = Machine::new(settings());
    let floods = "def poll_sensor(config):\n    while True:\n        yield {'x': 'y' * 1000}\n";
    let pack = machine.pack(&[("floods.py", floods)]).await;
    let (answer, _) = machine.try_poll(&pack, 1, "floods.py").await;
    assert!(matches!(answer, Err(TurnError::TooMuchOutput)), "{answer:?}");
}

#[tokio::test]
async fn prints_are_the_log_of_their_own_poll() {
    let machine = Machine::new(settings());
    let prints = "import sys\ndef poll_sensor(config):\n    print('out')\n    sys.stderr.write('err\\n')\n    yield {}\n";
    let pack = machine.pack(&[("prints.py", prints), ("a.py", PID)]).await;
    assert_eq!(machine.poll(&pack, 1, "prints.py").await.log, "out\nerr\n");
    assert_eq!(machine.poll(&pack, 2, "a.py").await.log, "");
}

#[tokio::test]
async fn a_thread_that_writes_late_disturbs_nobody() {
    let machine = Machine::new(settings());
    let late = "import sys, threading\nwritten = threading.Event()\ndef write():\n    go.wait()\n    sys.stderr.write('late\\n')\n    sys.stderr.flush()\n    open(path, 'w').close()\ngo = threading.Event()\npath = __file__ + '.written'\ndef poll_sensor(config):\n    threading.Thread(target=write, daemon=True).start()\n    threading.Timer(0.05, go.set).start()\n    yield {}\n";
    let pack = machine.pack(&[("late.py", late), ("a.py", PID)]).await;
    machine.poll(&pack, 1, "late.py").await;
    let written = pack.path("late.py.written");
    until("the thread has written", || written.exists()).await;
    assert_eq!(machine.poll(&pack, 2, "a.py").await.log, "");
    assert_eq!(machine.hosts.census().hosts, 1);
}

#[tokio::test]
async fn a_host_that_does_not_come_up_is_named() {
    let machine = Machine::new(settings());
    for (args, expected) in [
        (
            json!(["-c", "import sys; sys.exit('no wool')"]),
            "the warm host of runtime core.python did not start: it exited with code 1: no wool",
        ),
        (json!(["-c", "print('moo')"]), "did not start: the output is not JSON"),
        (json!(["-c", "print('{\"type\": \"done\"}')"]), "did not start: "),
    ] {
        let pack = machine.pack_with(&[("a.py", PID)], json!({"args": args})).await;
        let (error, _) = machine.error(&pack, 1, "a.py").await;
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(machine.hosts.census().hosts, 0);
}
