//! Who shares a host with whom, and who waits for whom.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::{Duration, Instant};

use attune_runtimes::host::{Settings, TurnError};
use futures_util::future::join_all;

use crate::language::PYTHON;

use super::machine::{Machine, Pack, settings};

const PID: &str = "import os\ndef poll_sensor(config):\n    yield {'pid': os.getpid()}\n";
const HANGS: &str = "import time\ndef poll_sensor(config):\n    time.sleep(600)\n    return None\n";

async fn all(machine: &Machine, pack: &Pack, sensors: std::ops::Range<i64>) -> BTreeMap<i64, u64> {
    let pids = sensors.clone().map(|sensor| machine.pid(pack, sensor, "a"));
    sensors.zip(join_all(pids).await).collect()
}

#[tokio::test]
async fn a_quick_sensor_sticks_to_its_host() {
    // However slow this machine is just now, everybody counts as quick.
    let machine = Machine::new(Settings { moment: Duration::from_secs(20), ..settings() });
    let pack = machine.pack(&PYTHON, &[("a", PID)]).await;
    for _ in 0..3 {
        all(&machine, &pack, 1..21).await;
    }
    let before = all(&machine, &pack, 1..21).await;
    assert_eq!(all(&machine, &pack, 1..21).await, before);
    let hosts: std::collections::BTreeSet<_> = before.values().collect();
    assert_eq!(hosts.len(), 2);
}

#[tokio::test]
async fn ten_hangs_do_not_hold_up_a_hundred_quick_sensors() {
    let machine = Machine::new(settings());
    let pack = machine.pack(&PYTHON, &[("a", PID), ("hangs", HANGS)]).await;
    all(&machine, &pack, 1..101).await;
    let try_hanging =
        |sensor| machine.poll_until(&pack, (sensor, "hangs"), Duration::from_secs(5), pending());
    let quick = async {
        let (began, mut rounds) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(4) {
            all(&machine, &pack, 1..101).await;
            rounds += 1;
        }
        rounds
    };
    let (hangs, rounds) = tokio::join!(join_all((1001..1011).map(try_hanging)), quick);
    assert!(hangs.iter().all(|(answer, _)| matches!(answer, Err(TurnError::TimedOut))), "{hangs:?}");
    // Alone they do hundreds of rounds; held up by one hang, none.
    assert!(rounds >= 3, "{rounds}");
}

#[tokio::test]
async fn who_finds_no_host_in_its_time_is_told_so() {
    let machine = Machine::new(Settings { budget: 1, ..settings() });
    let pack = machine.pack(&PYTHON, &[("a", PID), ("hangs", HANGS)]).await;
    let hang = machine.poll_until(&pack, (1, "hangs"), Duration::from_secs(5), pending());
    let late = async {
        super::machine::until("the hang has the only host", || machine.hosts.census().hosts == 1).await;
        machine.poll_until(&pack, (2, "a"), Duration::from_secs(1), pending()).await
    };
    let (_, (answer, _)) = tokio::join!(hang, late);
    assert_eq!(
        answer.unwrap_err().to_string(),
        "no warm host was free within 1 s, and there is no room for another: all together may take 1 bytes (sensor.host_memory_bytes)"
    );
}
