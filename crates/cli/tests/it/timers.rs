//! Timers at the terminal: what is asked for, what is refused, and what becomes of what SQL broke.

use serde_json::json;

use crate::database::Database;
use crate::eventually::eventually;
use crate::home::{Home, assert_terminal};
use crate::up::Up;

const GOOD: &str = "\
ref: my.yearly
trigger: core.interval_timer
trigger_params: {days: 366, start: \"2001-01-01T00:00:00Z\"}
action: core.run_command
action_params: {command: \"true\"}
---
ref: my.leap_day
trigger: core.cron_timer
trigger_params: {cron: \"30 2 29 2 *\", timezone: Europe/Berlin}
action: core.run_command
action_params: {command: \"true\"}
---
ref: my.party
trigger: core.date_timer
trigger_params: {at: \"2099-12-31T20:00:00\", timezone: Europe/Berlin}
action: core.run_command
action_params: {command: \"true\"}
";

fn running() -> (Home, Database, Up) {
    let (home, database) = Home::with_database();
    std::fs::write(home.path().join("good.yaml"), GOOD).unwrap();
    let up = home.up(&[]);
    (home, database, up)
}

#[test]
fn timers_are_told_with_their_next_instant_and_who_asks() {
    let (home, database, _up) = running();
    let applied = home.terminal(&[&["timer", "list"], &["rule", "apply", "-f", "good.yaml"]]);
    database.eventually("SELECT 1 FROM timer HAVING count(*) = 3");
    eventually("the rules of all timers", || {
        home.json(&["timer", "list"])
            .as_array()?
            .iter()
            .all(|timer| timer["rules"] != json!([]))
            .then_some(())
    });
    let told = home.terminal(&[
        &["timer", "list"],
        &["timer", "show", "1"],
        &["timer", "list", "--where", "live=false"],
    ]);
    let plain = [applied, told]
        .concat()
        .lines()
        .filter(|line| !line.starts_with(" seen "))
        .collect::<Vec<_>>()
        .join("\n");
    assert_terminal!("timers", plain);
    let party = &home.json(&["timer", "list", "--where", "trigger_ref=core.date_timer"])[0];
    assert_eq!(
        (&party["next"], &party["rules"], &party["params"]["missed"]),
        (&json!("2099-12-31T19:00:00.000Z"), &json!(["my.party"]), &json!("once"))
    );
}

#[test]
fn a_timer_fires_at_its_second_and_its_rule_acts() {
    let (home, database, _up) = running();
    let rule = "ref: my.tick\ntrigger: core.interval_timer\ntrigger_params: {seconds: 1}\naction: core.run_command\n\
        action_params: {command: \"echo {{ event.payload.scheduled }}\"}\n";
    std::fs::write(home.path().join("tick.yaml"), rule).unwrap();
    assert_eq!(home.attune(&["rule", "apply", "-f", "tick.yaml"]).code, 0);
    let done = database
        .eventually("SELECT result FROM execution WHERE status = 'succeeded' ORDER BY id DESC LIMIT 1");
    let event = home.json(&["event", "list", "--where", "source=timer"]);
    assert!(event[0]["payload"]["scheduled"].is_string(), "{event}");
    assert!(done["result"].to_string().contains('Z'), "{done}");
}

#[test]
fn what_no_timer_can_follow_is_refused_with_field_and_value() {
    let (home, database, _up) = running();
    let bad = [
        ("interval", "{seconds: 0}"),
        ("interval", "{seconds: -5}"),
        ("interval", "{days: 1000}"),
        ("cron", "{cron: \"61 * * * *\"}"),
        ("cron", "{cron: \"0 0 30 2 *\"}"),
        ("cron", "{cron: \"* * * * *\", timezone: Europe/Berln}"),
        ("cron", "{timezone: UTC}"),
        ("date", "{at: \"2020-01-01T00:00:00Z\"}"),
        ("date", "{at: soon}"),
        ("interval", "{minutes: 1, missed: twice}"),
    ];
    let rule = |(n, (timer, params)): (usize, (&str, &str))| {
        format!(
            "ref: my.r{n}\ntrigger: core.{timer}_timer\ntrigger_params: {params}\naction: core.run_command\naction_params: {{command: \"true\"}}\n"
        )
    };
    let rules: Vec<_> = bad.into_iter().enumerate().map(rule).collect();
    std::fs::write(home.path().join("bad.yaml"), rules.join("---\n")).unwrap();
    let terminal = home.terminal(&[&["rule", "apply", "-f", "bad.yaml"]]);
    assert_terminal!("refused_timers", terminal);
    assert_eq!(database.number("SELECT count(*) FROM rule WHERE ref LIKE 'my.%'"), 0);
}

#[test]
fn a_rule_that_sql_broke_says_why() {
    let (home, database, _up) = running();
    assert_eq!(home.attune(&["rule", "apply", "-f", "good.yaml"]).code, 0);
    // Else it may be broken before it ever had a timer.
    database.eventually("SELECT 1 FROM timer WHERE live AND trigger_ref = 'core.cron_timer'");
    database.execute("UPDATE rule SET trigger_params = '{\"cron\": \"often\"}' WHERE ref = 'my.leap_day'");
    eventually("the fault of the rule", || {
        home.json(&["rule", "show", "my.leap_day"])["fault"].as_str().map(drop)
    });
    database.eventually("SELECT 1 FROM timer WHERE NOT live");
    std::fs::write(home.path().join("event.json"), r#"{"scheduled": "then", "fired": "now", "missed": 0}"#)
        .unwrap();
    let test = &["rule", "test", "my.leap_day", "--event", "event.json"][..];
    assert_terminal!("broken_timer", home.terminal(&[&["rule", "list"], test]));
}
