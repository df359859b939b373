//! What goes wrong is said in words, and the exit code says which kind it was.

use std::net::TcpListener;

use crate::home::{Home, assert_terminal};
use crate::pack;

/// 2: what was typed can not be understood.
#[test]
fn a_wrong_call_is_explained() {
    let home = Home::new();
    let terminal = home.terminal(&[
        &["execution", "lost"],
        &["execution", "list", "--where", "color=red", "--api-url", "http://127.0.0.1:1"],
        &["rule", "list", "--where", "enabled"],
        &["rule", "list", "--limit", "0"],
        &["event", "send", "demo.note", "--payload", "[1]"],
        &["event", "send", "demo.note", "--payload", "{text: 1}"],
        &["action", "run", "demo.repeat", "--param", "text"],
        &["action", "run", "demo.repeat", "--param", "text=a", "--params", "{}"],
        &["db", "migrate"],
    ]);
    assert_terminal!("wrong_calls", terminal);
}

/// 2: every fault of the configuration at once.
#[test]
fn a_wrong_configuration_is_explained() {
    let home = Home::new();
    let file = "sensor:\n  pol_interval: 3\n  max_concurrent_sensors: -1\nserver: {port: web}\n";
    std::fs::write(home.path().join("config.yaml"), file).unwrap();
    let mut command = home.command(&["up"]);
    command.env("ATTUNE__WORKER__EXECUTION_TIMEOUT", "soon");
    assert_terminal!("wrong_configuration", home.answer(command));
}

/// 5: nobody answers.
#[test]
fn nobody_there_is_said_with_a_hint() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("http://{free}");
    let terminal = home.terminal(&[
        &["worker", "list"],
        &["worker", "list", "--api-url", &address],
        &["event", "send", "core.webhook", "--api-url", &address],
    ]);
    assert_terminal!("nobody_there", terminal);
}

/// 3 and 6: what is named is not there, or what is sent is not right.
#[test]
fn refusals_say_what_would_be_right() {
    let (home, _database) = Home::with_database();
    pack::write(home.path(), "demo", &pack::DEMO);
    let _up = home.up(&["--packs", "demo"]);
    let terminal = home.terminal(&[
        &["sensor", "show", "demo.lok"],
        &["rule", "show", "a/../b é"],
        &["execution", "show", "999999"],
        &["execution", "logs", "999999"],
        &["action", "run", "core.run_comand"],
        &["event", "send", "demo.notes"],
        &["event", "send", "demo.note", "--payload", "{\"text\": 7}"],
        &["action", "run", "demo.repeat", "--param", "txt=a"],
        &["action", "run", "demo.mute"],
        &["execution", "list", "--where", "enforcement=first"],
    ]);
    assert_terminal!("refusals", terminal);
}
