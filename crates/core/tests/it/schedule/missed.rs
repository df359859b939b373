//! Instants that nobody fired when they came.

use attune_core::schedule::{Due, Timer};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::{at, cron, date, interval};

const START: &str = "2026-01-01T00:00Z";

/// What a timer of each minute does at `now` when everything until midnight was done.
fn minutely(missed: &str, limit: u32, now: &str) -> Due {
    let params = json!({"minutes": 1, "missed": missed, "missed_limit": limit});
    let both =
        [interval(&params), cron(&json!({"cron": "* * * * *", "missed": missed, "missed_limit": limit}))]
            .map(|timer| timer.due(at(START), at(START), at(now)));
    assert_eq!(both[0], both[1]);
    both[0].clone()
}

fn fired(due: &Due) -> Vec<i64> {
    due.fire.iter().map(|instant| (*instant - at(START)).num_minutes()).collect()
}

#[test]
fn nothing_is_due_before_its_time() {
    assert_eq!(minutely("all", 5, "2026-01-01T00:00:59Z"), Due::default());
}

#[test]
fn what_comes_in_time_is_fired_whatever_the_policy() {
    for missed in ["skip", "once", "all"] {
        let due = minutely(missed, 5, "2026-01-01T00:01:10Z");
        assert_eq!((fired(&due), due.missed), (vec![1], 0), "{missed}");
    }
}

#[test]
fn missed_instants_are_skipped_or_fired_once_or_all_up_to_the_limit() {
    let now = "2026-01-01T00:07:30Z";
    for (missed, limit, expected) in [
        ("skip", 5, (vec![], 7)),
        ("once", 5, (vec![7], 6)),
        ("all", 5, (vec![3, 4, 5, 6, 7], 2)),
        ("all", 9, ((1..=7).collect(), 0)),
    ] {
        let due = minutely(missed, limit, now);
        assert_eq!((fired(&due), due.missed), expected, "{missed} {limit}");
    }
    // The newest is in time: what was missed are those before it.
    let due = minutely("skip", 5, "2026-01-01T00:07:05Z");
    assert_eq!((fired(&due), due.missed), (vec![7], 6));
}

#[test]
fn a_clock_that_went_back_fires_nothing() {
    let timer = interval(&json!({"seconds": 1}));
    assert_eq!(timer.due(at(START), at(START), at("2025-12-31T23:00Z")), Due::default());
}

#[test]
fn years_are_counted_in_no_time_and_the_newest_are_the_newest() {
    let now = at("2036-01-01T00:00:00Z");
    let due =
        interval(&json!({"seconds": 1, "missed": "all", "missed_limit": 3})).due(at(START), at(START), now);
    let newest: Vec<_> = (0..3).rev().map(|ago| now - TimeDelta::seconds(ago)).collect();
    assert_eq!((&due.fire, due.missed), (&newest, 315_532_800 - 3));
    // A cron expression is counted up to ten thousand.
    let due = cron(&json!({"cron": "* * * * * *", "missed": "all", "missed_limit": 3})).due(
        at(START),
        at(START),
        now,
    );
    assert_eq!((&due.fire, due.missed), (&newest, 10_000 - 3));
}

#[test]
fn a_date_that_was_missed_is_fired_unless_it_is_to_be_skipped() {
    let fire = |missed: &str| {
        let timer = date(&json!({"at": "2026-01-02T00:00:00Z", "missed": missed}));
        timer.due(at(START), at(START), at("2026-02-01T00:00Z"))
    };
    let newest = Some(at("2026-01-02T00:00Z"));
    assert_eq!(fire("once"), Due { fire: vec![at("2026-01-02T00:00Z")], missed: 0, newest });
    assert_eq!(fire("all"), fire("once"));
    assert_eq!(fire("skip"), Due { fire: vec![], missed: 1, newest });
}

fn timer_of(every: u32, limit: u32) -> Timer {
    interval(&json!({"seconds": every, "missed": "all", "missed_limit": limit}))
}

proptest! {
    /// However the time is cut into rounds, each instant is either fired or counted, once.
    #[test]
    fn no_instant_is_lost_or_doubled(
        every in 1_u32..100, limit in 1_u32..50, cuts in prop::collection::vec(0_i64..20_000, 1..30),
    ) {
        let (timer, start) = (timer_of(every, limit), at(START));
        let mut cuts: Vec<DateTime<Utc>> = cuts.iter().map(|cut| start + TimeDelta::milliseconds(cut * 50)).collect();
        cuts.sort_unstable();
        let (mut done, mut fired, mut missed) = (start, Vec::new(), 0);
        for now in cuts {
            let due = timer.due(start, done, now);
            prop_assert!(due.fire.len() <= limit as usize);
            fired.extend(due.fire);
            missed += due.missed;
            done = now;
        }
        prop_assert!(fired.is_sorted_by(|a, b| a < b));
        let passed = (done - start).num_seconds() / i64::from(every);
        prop_assert_eq!(fired.len() as u64 + missed, passed.unsigned_abs());
    }
}
