//! What turns take, as far as their host can be believed.

use std::future::pending;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use serde_json::json;

use super::machine::{Machine, settings};
use crate::language::{Language, PYTHON, in_each_language};

in_each_language!(
    async turns_of_one_host_are_told_apart,
    a_turn_that_never_ends_took_what_nobody_told_of,
    memory_is_that_of_the_host_and_output_that_of_the_turn,
);

/// Takes 0.3 s of the processor, whatever else goes on.
const BURNT: Duration = Duration::from_millis(300);
const BURN_IN_PYTHON: &str = "
import os, time
def burn():
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
";
const BURN_IN_JAVASCRIPT: &str = "
const total = ({ user, system }) => user + system;
function burn() {
  const end = total(process.cpuUsage()) + 300_000;
  while (total(process.cpuUsage()) < end);
}
";
/// Lets another process do it.
const STARTS: &str = "
import subprocess, sys
CODE = 'import time\\nwhile time.process_time() < 0.3: pass'
def poll_sensor(config):
    subprocess.run([sys.executable, '-c', CODE])
";
/// A host that says this of each turn, in place of `SAID`.
const LIAR: &str = r#"
import json, sys
print('{"type":"hello","protocol":1}', flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if order["type"] == "stop": break
    print('{"type":"done","id":%d,"cpu_ms":SAID}' % order["id"], flush=True)
"#;

fn idle(language: &Language) -> &'static str {
    language.pick("def poll_sensor(config):\n    return None\n", "const poll_sensor = () => null;\n")
}

fn burning(language: &Language, python: &str, javascript: &str) -> String {
    language.pick(
        format!("{BURN_IN_PYTHON}def poll_sensor(config):\n    burn()\n    {python}\n    return None\n"),
        format!(
            "{BURN_IN_JAVASCRIPT}function poll_sensor() {{\n  burn();\n  {javascript}\n  return null;\n}}\n"
        ),
    )
}

async fn turns_of_one_host_are_told_apart(language: &'static Language) {
    let machine = Machine::new(settings());
    let (burns, fails) =
        (burning(language, "pass", ""), burning(language, "raise ValueError()", "throw new Error();"));
    // What children take Node.js does not tell.
    let starts = language.pick(STARTS, &burns);
    let files = [("idle", idle(language)), ("burns", &burns), ("fails", &fails), ("starts", starts)];
    let pack = machine.pack(language, &files).await;
    machine.poll(&pack, 1, "idle").await;
    for file in ["burns", "fails", "starts"] {
        let spent = machine.try_poll(&pack, 1, file).await.1.spent;
        let idle = machine.poll(&pack, 1, "idle").await.spent;
        assert!(spent.cpu.unwrap() >= BURNT && idle.cpu.unwrap() * 5 < BURNT, "{file}: {spent:?}, {idle:?}");
    }
}

async fn a_turn_that_never_ends_took_what_nobody_told_of(language: &'static Language) {
    let machine = Machine::new(settings());
    let burns = burning(language, "pass", "");
    let wait = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
    let hangs = burning(language, "time.sleep(600)", wait);
    let dies = burning(language, "os._exit(1)", "process.reallyExit(1);");
    let pack = machine.pack(language, &[("burns", &burns), ("hangs", &hangs), ("dies", &dies)]).await;
    for file in ["hangs", "dies"] {
        machine.poll(&pack, 1, "burns").await;
        let turn = machine.poll_until(&pack, (1, file), Duration::from_secs(5), pending());
        let (answer, heard) = turn.await;
        answer.unwrap_err();
        let cpu = heard.spent.cpu.unwrap();
        assert!(cpu >= BURNT && cpu < BURNT * 2, "{file}: {cpu:?}, and what came before is not in it");
    }
}

async fn memory_is_that_of_the_host_and_output_that_of_the_turn(language: &'static Language) {
    let machine = Machine::new(settings());
    let keeps = language.pick(
        "kept = b'x' * 60_000_000\ndef poll_sensor(config):\n    print('12345' * 100)\n    return None\n",
        // What no function uses the engine may free.
        "const kept = Buffer.alloc(60_000_000, 1);\nconst poll_sensor = () => console.log('12345'.repeat(100 * kept[0]));\n",
    );
    let pack = machine.pack(language, &[("keeps", keeps), ("idle", idle(language))]).await;
    let keeps = machine.poll(&pack, 1, "keeps").await.spent;
    assert!(keeps.peak_memory > 60_000_000, "{keeps:?}");
    let idle = machine.poll(&pack, 1, "idle").await.spent;
    assert!(idle.peak_memory > 60_000_000, "it had the same host: {idle:?}");
    assert!(idle.output > 0 && keeps.output >= idle.output + 500, "{keeps:?} {idle:?}");
}

#[tokio::test]
async fn a_host_that_lies_or_says_nothing_is_a_host_nevertheless() {
    let machine = Machine::new(settings());
    let cores = u32::try_from(available_parallelism().unwrap().get()).unwrap();
    for said in ["-1", "1e300", "\"NaN\"", "{}", "null", "1e12", "0.001"] {
        let home = machine.pack(&PYTHON, &[("liar", &LIAR.replace("SAID", said))]).await;
        let keys = json!({"args": ["-u", home.path("liar")]});
        let pack = machine.pack_with(&PYTHON, &[("a", idle(&PYTHON))], keys).await;
        let began = Instant::now();
        let spent = machine.poll(&pack, 1, "a").await.spent;
        match said {
            "1e12" => assert!(spent.cpu.unwrap() <= began.elapsed() * cores, "{spent:?}"),
            "0.001" => assert_eq!(spent.cpu, Some(Duration::from_micros(1))),
            _ => assert_eq!(spent.cpu, None, "{said}"),
        }
    }
}
