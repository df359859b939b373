//! Instants against a table that was made without this code, and by hand where a line of it would say too little.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::json;

use super::{at, cron, date, interval};

const TABLE: &str = include_str!("instants.txt");

fn rows() -> Vec<[&'static str; 4]> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split(" | ").collect::<Vec<_>>().try_into().unwrap()).collect()
}

#[test]
fn every_line_of_the_table_holds() {
    let rows = rows();
    assert_eq!(rows.len(), 109);
    let is_wrong = |[zone, expression, after, expected]: &[&str; 4]| {
        let timer = cron(&json!({"cron": expression, "timezone": zone}));
        let next = timer.next_after(DateTime::UNIX_EPOCH, at(after));
        (next != Some(at(expected)))
            .then(|| format!("{zone} {expression} after {after}: {next:?}, not {expected}"))
    };
    assert_eq!(rows.iter().filter_map(is_wrong).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn expressions_may_have_seconds_names_and_nicknames() {
    for (expression, expected) in [
        ("30 0 12 * * *", "2026-01-31T12:00:30Z"),
        ("0 6 * * mon-fri", "2026-02-02T06:00Z"),
        ("0 6 * FEB sun#2", "2026-02-08T06:00Z"),
        ("0 6 L * *", "2026-02-28T06:00Z"),
        ("@daily", "2026-02-01T00:00Z"),
        ("@hourly", "2026-01-31T11:00Z"),
    ] {
        let next =
            cron(&json!({"cron": expression})).next_after(DateTime::UNIX_EPOCH, at("2026-01-31T10:00Z"));
        assert_eq!(next, Some(at(expected)), "{expression}");
    }
}

#[test]
fn an_interval_is_counted_from_its_anchor_or_from_its_start() {
    let anchor = at("2026-03-28T10:00:03Z");
    let timer = interval(&json!({"minutes": 1, "seconds": 30}));
    assert_eq!(timer.next_after(anchor, anchor), Some(at("2026-03-28T10:01:33Z")));
    assert_eq!(timer.next_after(anchor, at("2026-03-28T10:01:32Z")), Some(at("2026-03-28T10:01:33Z")));
    assert_eq!(timer.next_after(anchor, at("2026-03-28T10:01:33Z")), Some(at("2026-03-28T10:03:03Z")));
    assert_eq!(interval(&json!({"minutes": 1.0})), interval(&json!({"seconds": 60})));
    let timer = interval(&json!({"days": 1, "start": "2026-03-28T12:00:00+01:00"}));
    assert_eq!(timer.next_after(anchor, anchor), Some(at("2026-03-28T11:00Z")));
    // A day of an interval is 24 hours, also when the clocks change.
    assert_eq!(timer.next_after(anchor, at("2026-03-28T11:00Z")), Some(at("2026-03-29T11:00Z")));
}

#[test]
fn a_date_comes_once_and_means_the_wall_clock_of_its_zone() {
    for (at_param, zone, expected) in [
        ("2026-12-24T18:00:00+01:00", "UTC", "2026-12-24T17:00Z"),
        ("2026-12-24T18:00:00", "Europe/Berlin", "2026-12-24T17:00Z"),
        ("2026-12-24 18:00", "America/New_York", "2026-12-24T23:00Z"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:00Z"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30Z"),
    ] {
        let timer = date(&json!({"at": at_param, "timezone": zone}));
        let next = timer.next_after(DateTime::UNIX_EPOCH, at("2026-01-01T00:00Z"));
        assert_eq!(next, Some(at(expected)), "{at_param} {zone}");
        assert_eq!(timer.next_after(DateTime::UNIX_EPOCH, at(expected)), None);
    }
}

#[test]
fn instants_are_told_by_the_clock_of_the_zone() {
    let timer = cron(&json!({"cron": "0 2 * * *", "timezone": "Europe/Berlin"}));
    assert_eq!(timer.local(at("2026-07-01T00:00Z")).as_deref(), Some("2026-07-01T02:00:00.000+02:00"));
    assert_eq!(interval(&json!({"hours": 1})).local(at("2026-07-01T00:00Z")), None);
}

#[test]
fn schedules_are_told_in_a_few_words() {
    let told = [
        interval(&json!({"seconds": 90})),
        interval(&json!({"days": 1, "minutes": 60})),
        cron(&json!({"cron": "0 6 * * mon", "timezone": "Europe/Berlin"})),
        date(&json!({"at": "2026-12-24T18:00:00", "timezone": "Europe/Berlin"})),
    ];
    let expected =
        ["every 1 min 30 s", "every 1 d 1 h", "0 6 * * mon (Europe/Berlin)", "at 2026-12-24T17:00:00.000Z"];
    assert_eq!(told.map(|timer| timer.to_string()), expected);
}

proptest! {
    /// Whatever the clocks do: going on from the last instant visits the same instants as asking from anywhere between.
    #[test]
    fn the_next_instant_does_not_depend_on_where_one_asks(
        row in prop::sample::select(rows()), seconds in 0_i64..4 * 86_400, back in 0_i64..7200,
    ) {
        let [zone, expression, after, _] = row;
        let timer = cron(&json!({"cron": expression, "timezone": zone}));
        let from = at(after) - TimeDelta::days(2) + TimeDelta::seconds(seconds);
        let next = timer.next_after(DateTime::UNIX_EPOCH, from).unwrap();
        prop_assert!(next > from);
        let between = from + TimeDelta::seconds(back.min((next - from).num_seconds() - 1).max(0));
        prop_assert_eq!(timer.next_after(DateTime::UNIX_EPOCH, between), Some(next));
    }
}
