//! Parameters that are none: which one, and with which value.

use attune_core::schedule::{TRIGGERS, Timer};
use serde_json::{Value, json};

use super::read;

#[test]
fn faults_name_the_parameter_and_its_value() {
    let (interval, cron, date) = (TRIGGERS[0], TRIGGERS[1], TRIGGERS[2]);
    let long = "9".repeat(300);
    let cases: Vec<(&str, Value)> = vec![
        (interval, json!({})),
        (interval, json!({"seconds": 0})),
        (interval, json!({"seconds": -5})),
        (interval, json!({"minutes": 1.5})),
        (interval, json!({"seconds": "5"})),
        (interval, json!({"hours": 9000})),
        (interval, json!({"days": 366, "seconds": 1})),
        (interval, json!({"minutes": 1, "start": "tomorrow"})),
        (interval, json!({"minutes": 1, "every": 1})),
        (interval, json!({"minutes": 1, "missed": "twice"})),
        (interval, json!({"minutes": 1, "missed": "all", "missed_limit": 0})),
        (interval, json!([1])),
        (cron, json!({})),
        (cron, json!({"cron": 5})),
        (cron, json!({"cron": ""})),
        (cron, json!({"cron": "61 * * * *"})),
        (cron, json!({"cron": "* * * *"})),
        (cron, json!({"cron": "0 0 1 1 * * 2026"})),
        (cron, json!({"cron": "0 0 30 2 *"})),
        (cron, json!({"cron": "0 0 1 1 ß"})),
        (cron, json!({"cron": long})),
        (cron, json!({"cron": "* * * * *", "timezone": "Europe/Berln"})),
        (cron, json!({"cron": "* * * * *", "timezone": "+01:00"})),
        (date, json!({})),
        (date, json!({"at": "2026-02-30T00:00:00Z"})),
        (date, json!({"at": "soon"})),
        (date, json!({"at": "2026-12-24T18:00:00", "timezone": "Mars/Base"})),
    ];
    let told: Vec<_> = cases
        .iter()
        .map(|(trigger, params)| format!("{trigger} {}", read(trigger, params).unwrap_err()))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn other_triggers_are_none_of_its_business() {
    assert_eq!(Timer::read("core.webhook", &json!({"cron": 5})), None);
}
