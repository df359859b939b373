//! How long hosts live, and what lives on in them.

use std::time::Duration;

use attune_runtimes::host::{Answer, Settings};
use serde_json::json;

use super::machine::{Machine, exists, settings, tool, until};
use crate::language::{Language, in_each_language};

in_each_language!(
    async what_a_module_keeps_lives_on_in_one_host,
    a_changed_file_is_loaded_again,
    packs_never_share_a_host,
    other_variables_have_another_host,
    a_host_is_replaced_after_so_many_turns,
    a_host_that_has_grown_is_replaced,
    an_idle_host_ends,
    within_a_small_budget_the_least_recently_used_host_ends,
    all_hosts_are_gone_when_the_pool_ends,
    a_file_that_a_host_refuses_runs_by_itself_until_it_changes,
);

/// No turn counts as slow, however busy the machine is.
fn patient() -> Settings {
    Settings { moment: Duration::from_secs(20), ..settings() }
}

/// Tells its process, and how often it was polled.
fn counting(language: &Language) -> &'static str {
    language.pick(
        "import os\ncount = 0\ndef poll_sensor(config):\n    global count\n    count += 1\n    yield {'pid': os.getpid(), 'count': count}\n",
        "let count = 0;\nconst poll_sensor = () => ({ pid: process.pid, count: (count += 1) });\n",
    )
}

async fn what_a_module_keeps_lives_on_in_one_host(language: &'static Language) {
    let machine = Machine::new(patient());
    let pack = machine.pack(language, &[("a", counting(language))]).await;
    let first = machine.poll(&pack, 1, "a").await.events;
    for count in 2..=5 {
        let event = &machine.poll(&pack, 1, "a").await.events[0];
        assert_eq!((&event["pid"], &event["count"]), (&first[0]["pid"], &json!(count)));
    }
    assert_eq!(machine.hosts.census().hosts, 1);
    assert!(machine.hosts.census().bytes > 100_000);
}

async fn a_changed_file_is_loaded_again(language: &'static Language) {
    let machine = Machine::new(patient());
    let pack = machine.pack(language, &[("a", counting(language))]).await;
    machine.pid(&pack, 1, "a").await;
    let new = language.pick(
        "def poll_sensor(config):\n    yield {'new': True}\n",
        "const poll_sensor = () => ({ new: true });\n",
    );
    pack.write("a", new);
    assert_eq!(machine.poll(&pack, 1, "a").await.events, [json!({"new": true})]);
}

async fn packs_never_share_a_host(language: &'static Language) {
    let machine = Machine::new(patient());
    let (one, other) = (
        machine.pack(language, &[("a", counting(language))]).await,
        machine.pack(language, &[("a", counting(language))]).await,
    );
    assert_ne!(machine.pid(&one, 1, "a").await, machine.pid(&other, 1, "a").await);
}

async fn other_variables_have_another_host(language: &'static Language) {
    let machine = Machine::new(patient());
    let mut pack = machine.pack(language, &[("a", counting(language))]).await;
    let before = machine.pid(&pack, 1, "a").await;
    let host = json!({"args": language.host_args("{pack}")});
    pack.code.tool = tool(language, &json!({"host": host, "variables": {"COLOUR": "blue"}}));
    let blue = machine.pid(&pack, 1, "a").await;
    assert_ne!(blue, before);
    assert_eq!(machine.pid(&pack, 1, "a").await, blue);
}

async fn a_host_is_replaced_after_so_many_turns(language: &'static Language) {
    let machine = Machine::new(patient());
    let pack = machine.pack_with(language, &[("a", counting(language))], json!({"polls": 3})).await;
    let mut pids = Vec::new();
    for _ in 0..7 {
        pids.push(machine.pid(&pack, 1, "a").await);
    }
    assert!(pids[0] == pids[2] && pids[3] == pids[5] && pids[2] != pids[3] && pids[5] != pids[6], "{pids:?}");
    until("replaced hosts are gone", || !exists(pids[0]) && !exists(pids[3])).await;
}

async fn a_host_that_has_grown_is_replaced(language: &'static Language) {
    let bounds = Settings { look: Duration::ZERO, growth: 2, slack: 20_000_000, ..patient() };
    let machine = Machine::new(bounds);
    let grow = language.pick(
        "import os\nkept = []\ndef poll_sensor(config):\n    yield {'pid': os.getpid()}\n    kept.append(b'x' * 80_000_000)\n",
        "const kept = [];\nconst poll_sensor = () => (kept.push(Buffer.alloc(80_000_000, 1)), { pid: process.pid });\n",
    );
    let pack = machine.pack(language, &[("a", counting(language)), ("grow", grow)]).await;
    let first = machine.pid(&pack, 1, "a").await;
    assert_eq!(machine.pid(&pack, 2, "grow").await, first);
    until("the grown host is gone", || !exists(first)).await;
    assert_ne!(machine.pid(&pack, 1, "a").await, first);
}

async fn an_idle_host_ends(language: &'static Language) {
    let machine = Machine::new(Settings { idle: Duration::from_millis(200), ..patient() });
    let pack = machine.pack(language, &[("a", counting(language))]).await;
    let pid = machine.pid(&pack, 1, "a").await;
    until("the idle host is gone", || !exists(pid)).await;
    assert_eq!(machine.hosts.census().hosts, 0);
    assert_ne!(machine.pid(&pack, 1, "a").await, pid);
}

async fn within_a_small_budget_the_least_recently_used_host_ends(language: &'static Language) {
    let machine = Machine::new(Settings { budget: 1, ..patient() });
    let mut pids = Vec::new();
    for _ in 0..3 {
        let pack = machine.pack(language, &[("a", counting(language))]).await;
        pids.push(machine.pid(&pack, 1, "a").await);
        assert!(machine.hosts.census().hosts <= 2);
    }
    until("hosts of other packs are gone", || !exists(pids[0]) && !exists(pids[1])).await;
}

async fn all_hosts_are_gone_when_the_pool_ends(language: &'static Language) {
    let machine = Machine::new(patient());
    let pack = machine.pack(language, &[("a", counting(language))]).await;
    let pid = machine.pid(&pack, 1, "a").await;
    machine.hosts.end().await;
    assert!(!exists(pid) && machine.hosts.census().hosts == 0);
}

async fn a_file_that_a_host_refuses_runs_by_itself_until_it_changes(language: &'static Language) {
    let machine = Machine::new(patient());
    let pack = machine
        .pack(
            language,
            &[("a", language.pick("print('{\"events\": []}')\n", "console.log('{\"events\": []}');\n"))],
        )
        .await;
    let (first, _) = machine.try_poll(&pack, 1, "a").await;
    assert!(matches!(first.unwrap(), Some(Answer::Unfit { .. })));
    let (second, _) = machine.try_poll(&pack, 1, "a").await;
    assert_eq!(second.unwrap(), None);
    pack.write("a", counting(language));
    machine.pid(&pack, 1, "a").await;
}
