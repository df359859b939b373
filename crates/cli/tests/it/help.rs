//! Help teaches: every group, and the commands that take more than a name.

use crate::home::{Home, assert_terminal};

/// Stands at the end of every group's help, so it is looked at once.
const COMMON: &str = "Options of every command:";

#[test]
fn every_group_has_its_help() {
    let home = Home::new();
    let help = |arguments: &[&str]| {
        let answer = home.answer(home.command(&[arguments, &["--help"]].concat()));
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{arguments:?}");
        answer.stdout
    };
    let own = |arguments: &[&str]| {
        let text = help(arguments);
        let (own, common) = text.split_once(COMMON).unwrap();
        let examples =
            common.split_once("Example:").map_or_else(String::new, |(_, text)| format!("Example:{text}"));
        format!("$ attune {} --help\n{own}{examples}\n", arguments.join(" "))
    };
    assert_terminal!("help", help(&[]));
    let groups = [
        "up",
        "db",
        "pack",
        "worker",
        "runtime",
        "trigger",
        "sensor",
        "rule",
        "action",
        "event",
        "enforcement",
        "execution",
        "completion",
    ];
    assert_terminal!("help_of_groups", groups.map(|group| own(&[group])).concat());
    let commands = [
        ["sensor", "list"],
        ["sensor", "show"],
        ["sensor", "new"],
        ["sensor", "test"],
        ["rule", "test"],
        ["pack", "test"],
        ["action", "run"],
        ["event", "send"],
        ["rule", "apply"],
        ["execution", "retry"],
    ];
    assert_terminal!("help_of_commands", commands.map(|command| own(&command)).concat());
}

#[test]
fn the_version_is_told() {
    let home = Home::new();
    let answer = home.answer(home.command(&["--version"]));
    assert_eq!(answer.stdout, format!("attune {}\n", env!("CARGO_PKG_VERSION")));
}
