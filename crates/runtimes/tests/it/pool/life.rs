//! How long hosts live, and what lives on in them.

use std::time::Duration;

use attune_runtimes::host::{Answer, Settings};
use serde_json::json;

use super::machine::{Machine, exists, settings, until};

const PID: &str = "import os\ncount = 0\ndef poll_sensor(config):\n    global count\n    count += 1\n    yield {'pid': os.getpid(), 'count': count}\n";

#[tokio::test]
async fn what_a_module_keeps_lives_on_in_one_host() {
    let machine = Machine::new(settings());
    let pack = machine.pack(&[("a.py", PID)]).await;
    let first = machine.poll(&pack, 1, "a.py").await.events;
    for count in 2..=5 {
        let event = &machine.poll(&pack, 1, "a.py").await.events[0];
        assert_eq!((&event["pid"], &event["count"]), (&first[0]["pid"], &json!(count)));
    }
    assert_eq!(machine.hosts.census().hosts, 1);
    assert!(machine.hosts.census().bytes > 100_000);
}

#[tokio::test]
async fn a_changed_file_is_loaded_again() {
    let machine = Machine::new(settings());
    let pack = machine.pack(&[("a.py", PID)]).await;
    machine.pid(&pack, 1, "a.py").await;
    pack.write("a.py", "def poll_sensor(config):\n    yield {'new': True}\n");
    assert_eq!(machine.poll(&pack, 1, "a.py").await.events, [json!({"new": true})]);
}

#[tokio::test]
async fn packs_never_share_a_host() {
    let machine = Machine::new(settings());
    let (one, other) = (machine.pack(&[("a.py", PID)]).await, machine.pack(&[("a.py", PID)]).await);
    assert_ne!(machine.pid(&one, 1, "a.py").await, machine.pid(&other, 1, "a.py").await);
}

#[tokio::test]
async fn a_host_is_replaced_after_so_many_turns() {
    let machine = Machine::new(settings());
    let pack = machine.pack_with(&[("a.py", PID)], json!({"polls": 3})).await;
    let mut pids = Vec::new();
    for _ in 0..7 {
        pids.push(machine.pid(&pack, 1, "a.py").await);
    }
    assert!(pids[0] == pids[2] && pids[3] == pids[5] && pids[2] != pids[3] && pids[5] != pids[6], "{pids:?}");
    until("replaced hosts are gone", || !exists(pids[0]) && !exists(pids[3])).await;
}

#[tokio::test]
async fn a_host_that_has_grown_is_replaced() {
    let bounds = Settings { look: Duration::ZERO, growth: 2, slack: 20_000_000, ..settings() };
    let machine = Machine::new(bounds);
    let grow = "import os\nkept = []\ndef poll_sensor(config):\n    yield {'pid': os.getpid()}\n    kept.append(b'x' * 40_000_000)\n";
    let pack = machine.pack(&[("a.py", PID), ("grow.py", grow)]).await;
    let first = machine.pid(&pack, 1, "a.py").await;
    assert_eq!(machine.pid(&pack, 2, "grow.py").await, first);
    until("the grown host is gone", || !exists(first)).await;
    assert_ne!(machine.pid(&pack, 1, "a.py").await, first);
}

#[tokio::test]
async fn an_idle_host_ends() {
    let machine = Machine::new(Settings { idle: Duration::from_millis(200), ..settings() });
    let pack = machine.pack(&[("a.py", PID)]).await;
    let pid = machine.pid(&pack, 1, "a.py").await;
    until("the idle host is gone", || !exists(pid)).await;
    assert_eq!(machine.hosts.census().hosts, 0);
    assert_ne!(machine.pid(&pack, 1, "a.py").await, pid);
}

#[tokio::test]
async fn within_a_small_budget_the_least_recently_used_host_ends() {
    let machine = Machine::new(Settings { budget: 1, ..settings() });
    let mut pids = Vec::new();
    for _ in 0..3 {
        let pack = machine.pack(&[("a.py", PID)]).await;
        pids.push(machine.pid(&pack, 1, "a.py").await);
        assert!(machine.hosts.census().hosts <= 2);
    }
    until("hosts of other packs are gone", || !exists(pids[0]) && !exists(pids[1])).await;
}

#[tokio::test]
async fn all_hosts_are_gone_when_the_pool_ends() {
    let machine = Machine::new(settings());
    let pack = machine.pack(&[("a.py", PID)]).await;
    let pid = machine.pid(&pack, 1, "a.py").await;
    machine.hosts.end().await;
    assert!(!exists(pid) && machine.hosts.census().hosts == 0);
}

#[tokio::test]
async fn a_file_that_a_host_refuses_runs_by_itself_until_it_changes() {
    let machine = Machine::new(settings());
    let pack = machine.pack(&[("a.py", "print('{\"events\": []}')\n")]).await;
    let (first, _) = machine.try_poll(&pack, 1, "a.py").await;
    assert!(matches!(first.unwrap(), Some(Answer::Unfit { .. })));
    let (second, _) = machine.try_poll(&pack, 1, "a.py").await;
    assert_eq!(second.unwrap(), None);
    pack.write("a.py", PID);
    machine.pid(&pack, 1, "a.py").await;
}
