//! The configuration as it is looked at: what is in force, who said so, and what is wrong.

use crate::home::{Home, assert_terminal};

#[test]
fn show_tells_each_value_and_who_said_so() {
    let home = Home::on("postgresql://me:secret@db.example:5433/facts?password=secret");
    std::fs::write(home.path().join("config.yaml"), "sensor: {poll_interval: 0.5, host: here}\n").unwrap();
    let show = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("ATTUNE__DATA_DIR", "data").env("ATTUNE__RUNTIME__ENVIRONMENTS_DIR", "environments");
        home.answer(command)
    };
    let table = show(&["config", "show"]);
    assert!(!table.stdout.contains("secret"), "{table}");
    assert_terminal!("config_show", table);
    let json = show(&["config", "show", "-o", "json"]);
    assert!(!json.stdout.contains("secret"), "{json}");
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let poll = rows.as_array().unwrap().iter().find(|row| row["key"] == "sensor.poll_interval").unwrap();
    assert_eq!((&poll["value"], &poll["default"]), (&0.5.into(), &30.into()));
    assert_eq!(poll["origin"], "[home]/config.yaml");
}

#[test]
fn check_lists_every_fault_and_starts_nothing() {
    let home = Home::new();
    std::fs::write(home.path().join("good.yaml"), "server: {port: 0}\n").unwrap();
    std::fs::write(home.path().join("bad.yaml"), "server: {port: x}\nsensr: {host: a}\n").unwrap();
    let check = |file: &[&str]| {
        let answer = home.answer(home.command(&[&["config", "check"], file].concat()));
        format!("$ attune config check {}\n{answer}\n", file.concat())
    };
    let all = [check(&[]), check(&["good.yaml"]), check(&["bad.yaml"]), check(&["none.yaml"])].concat();
    assert_terminal!("config_check", all);
}
