//! What goes wrong in one turn is that turn's affair.

use std::future::pending;
use std::time::{Duration, Instant};

use attune_runtimes::host::TurnError;
use serde_json::json;

use super::machine::{Machine, exists, settings, until};
use crate::language::{Language, in_each_language};

in_each_language!(
    async a_host_that_ends_costs_its_poll,
    a_host_that_was_killed_between_two_turns_costs_none,
    a_hang_ends_at_its_time_limit_with_all_that_it_started,
    a_turn_ends_when_it_is_told_to,
    a_flood_ends_at_the_limit,
    prints_are_the_log_of_their_own_poll,
    what_writes_late_disturbs_nobody,
    a_host_that_does_not_come_up_is_named,
);

fn pid(language: &Language) -> &'static str {
    language.pick(
        "import os\ndef poll_sensor(config):\n    yield {'pid': os.getpid()}\n",
        "const poll_sensor = () => ({ pid: process.pid });\n",
    )
}

/// A poll that does this.
fn sensor(language: &Language, python: &str, javascript: &str) -> String {
    language.pick(
        format!(
            "import os, signal, sys, threading, time\ndef poll_sensor(config):\n    {python}\n    return None\n"
        ),
        format!(
            "const fs = require('fs');\nconst lock = new Int32Array(new SharedArrayBuffer(4));\n\
             async function poll_sensor() {{\n  {javascript}\n  return null;\n}}\n"
        ),
    )
}

async fn a_host_that_ends_costs_its_poll(language: &'static Language) {
    let machine = Machine::new(settings());
    let exits = sensor(
        language,
        "sys.stderr.write('no more\\n'); os._exit(3)",
        "console.error('no more'); process.reallyExit(3);",
    );
    let killed = sensor(
        language,
        "print('so long'); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)",
        "console.log('so long'); process.kill(process.pid, 'SIGKILL');",
    );
    let pack = machine.pack(language, &[("exits", &exits), ("killed", &killed), ("a", pid(language))]).await;
    let before = machine.pid(&pack, 1, "a").await;
    for (file, error, log) in [
        ("exits", "its warm host exited with code 3", "no more\n"),
        ("killed", "its warm host was ended by signal 9", "so long\n"),
    ] {
        assert_eq!(machine.error(&pack, 2, file).await, (error.to_owned(), log.to_owned()));
    }
    assert!(!exists(before));
    machine.pid(&pack, 1, "a").await;
}

async fn a_host_that_was_killed_between_two_turns_costs_none(language: &'static Language) {
    let machine = Machine::new(settings());
    let pack = machine.pack(language, &[("a", pid(language))]).await;
    let pid = machine.pid(&pack, 1, "a").await;
    let victim = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(victim, rustix::process::Signal::KILL).unwrap();
    until("it is gone", || !exists(pid)).await;
    assert_ne!(machine.pid(&pack, 1, "a").await, pid);
}

async fn a_hang_ends_at_its_time_limit_with_all_that_it_started(language: &'static Language) {
    let machine = Machine::new(settings());
    let hangs = language.pick(
        "import os, subprocess, time\ndef poll_sensor(config):\n    yield {'pid': subprocess.Popen(['sleep', '600']).pid}\n    \
         print('hanging', flush=True)\n    time.sleep(600)\n",
        "const { spawn } = require('child_process');\nfunction* poll_sensor() {\n  yield { pid: spawn('sleep', ['600']).pid };\n  \
         console.log('hanging');\n  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);\n}\n",
    );
    let pack = machine.pack(language, &[("hangs", hangs), ("a", pid(language))]).await;
    machine.pid(&pack, 1, "a").await;
    let began = Instant::now();
    let (answer, heard) = machine.poll_until(&pack, (2, "hangs"), Duration::from_secs(1), pending()).await;
    assert!(matches!(answer, Err(TurnError::TimedOut)), "{answer:?}");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(heard.log, "hanging\n");
    machine.pid(&pack, 1, "a").await;
    assert_eq!(machine.hosts.census().hosts, 1);
}

async fn a_turn_ends_when_it_is_told_to(language: &'static Language) {
    let machine = Machine::new(settings());
    let waits = "await new Promise((resolve) => setTimeout(resolve, 600_000));";
    let hangs = sensor(language, "time.sleep(600)", waits);
    let pack = machine.pack(language, &[("hangs", &hangs), ("a", pid(language))]).await;
    let before = machine.pid(&pack, 1, "a").await;
    let stop = tokio::time::sleep(Duration::from_millis(100));
    let (answer, _) = machine.poll_until(&pack, (2, "hangs"), Duration::from_mins(1), stop).await;
    assert!(matches!(answer, Err(TurnError::Stopped)), "{answer:?}");
    assert!(!exists(before));
}

async fn a_flood_ends_at_the_limit(language: &'static Language) {
    let machine = Machine::new(settings());
    let floods = language.pick(
        "def poll_sensor(config):\n    while True:\n        yield {'x': 'y' * 1000}\n",
        "function* poll_sensor() {\n  for (;;) yield { x: 'y'.repeat(1000) };\n}\n",
    );
    let pack = machine.pack(language, &[("floods", floods)]).await;
    let (answer, _) = machine.try_poll(&pack, 1, "floods").await;
    assert!(matches!(answer, Err(TurnError::TooMuchOutput)), "{answer:?}");
}

async fn prints_are_the_log_of_their_own_poll(language: &'static Language) {
    let machine = Machine::new(settings());
    let prints = sensor(
        language,
        "print('out'); sys.stderr.write('err\\n')",
        "console.log('out'); console.error('err');",
    );
    let pack = machine.pack(language, &[("prints", &prints), ("a", pid(language))]).await;
    assert_eq!(machine.poll(&pack, 1, "prints").await.log, "out\nerr\n");
    assert_eq!(machine.poll(&pack, 2, "a").await.log, "");
}

async fn what_writes_late_disturbs_nobody(language: &'static Language) {
    let machine = Machine::new(settings());
    let late = language.pick(
        "import sys, threading\nwritten = threading.Event()\ndef write():\n    go.wait()\n    sys.stderr.write('late\\n')\n    \
         sys.stderr.flush()\n    open(path, 'w').close()\ngo = threading.Event()\npath = __file__ + '.written'\n\
         def poll_sensor(config):\n    threading.Thread(target=write, daemon=True).start()\n    \
         threading.Timer(0.05, go.set).start()\n    yield {}\n",
        "const fs = require('fs');\nfunction write() {\n  console.error('late');\n  fs.writeFileSync(`${__filename}.written`, '');\n}\n\
         const poll_sensor = () => (setTimeout(write, 50), {});\n",
    );
    let pack = machine.pack(language, &[("late", late), ("a", pid(language))]).await;
    machine.poll(&pack, 1, "late").await;
    let mut written = pack.path("late").into_os_string();
    written.push(".written");
    until("it has written", || std::path::Path::new(&written).exists()).await;
    assert_eq!(machine.poll(&pack, 2, "a").await.log, "");
    assert_eq!(machine.hosts.census().hosts, 1);
}

async fn a_host_that_does_not_come_up_is_named(language: &'static Language) {
    let machine = Machine::new(settings());
    let option = language.pick("-c", "-e");
    let prints = |text: &str| format!("{}('{text}')", language.pick("print", "console.log"));
    let exits = language.pick("import sys; sys.exit('no wool')", "console.error('no wool'); process.exit(1)");
    let exited = "did not start: it exited with code 1: no wool";
    for (source, expected) in [
        (exits.to_owned(), format!("the warm host of runtime {} {exited}", language.r#ref)),
        (prints("moo"), "did not start: the output is not JSON".to_owned()),
        (prints("{\"type\": \"done\"}"), "did not start: ".to_owned()),
    ] {
        let keys = json!({"args": [option, source]});
        let pack = machine.pack_with(language, &[("a", pid(language))], keys).await;
        let (error, _) = machine.error(&pack, 1, "a").await;
        assert!(error.contains(&expected), "{error}");
    }
    assert_eq!(machine.hosts.census().hosts, 0);
}
