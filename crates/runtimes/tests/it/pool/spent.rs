//! What turns take, as far as their host can be believed.

use std::future::pending;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use serde_json::json;

use super::machine::{Machine, settings};

const IDLE: &str = "def poll_sensor(config):\n    return None\n";
/// Takes 0.3 s of the processor, whatever else goes on.
const BURNT: Duration = Duration::from_millis(300);
const BURN: &str = "
import os, time
def burn():
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
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

fn burning(and_then: &str) -> String {
    format!("{BURN}def poll_sensor(config):\n    burn()\n    {and_then}\n    return None\n")
}

#[tokio::test]
async fn turns_of_one_host_are_told_apart() {
    let machine = Machine::new(settings());
    let (burns, fails) = (burning("pass"), burning("raise ValueError()"));
    let files = [("idle.py", IDLE), ("burns.py", &burns), ("fails.py", &fails), ("starts.py", STARTS)];
    let pack = machine.pack(&files).await;
    machine.poll(&pack, 1, "idle.py").await;
    for file in ["burns.py", "fails.py", "starts.py"] {
        let spent = machine.try_poll(&pack, 1, file).await.1.spent;
        let idle = machine.poll(&pack, 1, "idle.py").await.spent;
        assert!(spent.cpu.unwrap() >= BURNT && idle.cpu.unwrap() * 5 < BURNT, "{file}: {spent:?}, {idle:?}");
    }
}

#[tokio::test]
async fn a_turn_that_never_ends_took_what_nobody_told_of() {
    let machine = Machine::new(settings());
    let (burns, hangs, dies) = (burning("pass"), burning("time.sleep(600)"), burning("os._exit(1)"));
    let pack = machine.pack(&[("burns.py", &burns), ("hangs.py", &hangs), ("dies.py", &dies)]).await;
    for file in ["hangs.py", "dies.py"] {
        machine.poll(&pack, 1, "burns.py").await;
        let turn = machine.poll_until(&pack, (1, file), Duration::from_secs(5), pending());
        let (answer, heard) = turn.await;
        answer.unwrap_err();
        let cpu = heard.spent.cpu.unwrap();
        assert!(cpu >= BURNT && cpu < BURNT * 2, "{file}: {cpu:?}, and what came before is not in it");
    }
}

#[tokio::test]
async fn memory_is_that_of_the_host_and_output_that_of_the_turn() {
    let machine = Machine::new(settings());
    let keeps =
        "kept = b'x' * 60_000_000\ndef poll_sensor(config):\n    print('12345' * 100)\n    return None\n";
    let pack = machine.pack(&[("keeps.py", keeps), ("idle.py", IDLE)]).await;
    let keeps = machine.poll(&pack, 1, "keeps.py").await.spent;
    assert!(keeps.peak_memory > 60_000_000, "{keeps:?}");
    let idle = machine.poll(&pack, 1, "idle.py").await.spent;
    assert!(idle.peak_memory > 60_000_000, "it had the same host: {idle:?}");
    assert!(idle.output > 0 && keeps.output >= idle.output + 500, "{keeps:?} {idle:?}");
}

#[tokio::test]
async fn a_host_that_lies_or_says_nothing_is_a_host_nevertheless() {
    let machine = Machine::new(settings());
    let cores = u32::try_from(available_parallelism().unwrap().get()).unwrap();
    for said in ["-1", "1e300", "\"NaN\"", "{}", "null", "1e12", "0.001"] {
        let home = machine.pack(&[("liar.py", &LIAR.replace("SAID", said))]).await;
        let keys = json!({"args": ["-u", home.path("liar.py")]});
        let pack = machine.pack_with(&[("a.py", IDLE)], keys).await;
        let began = Instant::now();
        let spent = machine.poll(&pack, 1, "a.py").await.spent;
        match said {
            "1e12" => assert!(spent.cpu.unwrap() <= began.elapsed() * cores, "{spent:?}"),
            "0.001" => assert_eq!(spent.cpu, Some(Duration::from_micros(1))),
            _ => assert_eq!(spent.cpu, None, "{said}"),
        }
    }
}
