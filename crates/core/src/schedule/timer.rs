//! One timer: a schedule, and what becomes of the instants that it misses.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::cron::Cron;
use super::date::Date;
use super::fields::{Fault, Fields};
use super::interval::Interval;
use super::missed::{COUNTED, Due, Missed, Passed};

/// The triggers whose events are made by timers.
pub const TRIGGERS: [&str; 3] = [INTERVAL, CRON, DATE];
const INTERVAL: &str = "core.interval_timer";
const CRON: &str = "core.cron_timer";
const DATE: &str = "core.date_timer";

/// When instants come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Schedule {
    Interval(Interval),
    Cron(Cron),
    Date(Date),
}

/// What a rule asks of a timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    schedule: Schedule,
    missed: Missed,
}

impl Timer {
    /// Reads the parameters of a timer trigger. `None`: the trigger is none of [`TRIGGERS`].
    pub fn read(trigger: &str, params: &Value) -> Option<Result<Self, Fault>> {
        match trigger {
            INTERVAL => {
                Some(build(params, Interval::PARAMS, |it| Interval::read(it).map(Schedule::Interval)))
            }
            CRON => Some(build(params, Cron::PARAMS, |it| Cron::read(it).map(Schedule::Cron))),
            DATE => Some(build(params, Date::PARAMS, |it| Date::read(it).map(Schedule::Date))),
            _ => None,
        }
    }

    /// The first instant after `after`. `None`: there is none any more.
    pub fn next_after(&self, anchor: DateTime<Utc>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.schedule {
            Schedule::Interval(interval) => interval.next_after(anchor, after),
            Schedule::Cron(cron) => cron.parse()?.next_after(after),
            Schedule::Date(date) => date.next_after(after),
        }
    }

    /// What is to be done at `now` about the instants after `done`.
    pub fn due(&self, anchor: DateTime<Utc>, done: DateTime<Utc>, now: DateTime<Utc>) -> Due {
        self.missed.judge(self.passed(anchor, done, now), now)
    }

    /// The one instant of a date, with the parameter that says it.
    pub fn only(&self) -> Option<(&'static str, DateTime<Utc>)> {
        if let Schedule::Date(date) = &self.schedule { Some(("at", date.at)) } else { None }
    }

    /// An instant by the clock of the timer's zone, for timers that have one.
    pub fn local(&self, instant: DateTime<Utc>) -> Option<String> {
        let zone = match &self.schedule {
            Schedule::Interval(_) => return None,
            Schedule::Cron(cron) => cron.zone,
            Schedule::Date(date) => date.zone,
        };
        Some(instant.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Millis, false))
    }

    fn passed(&self, anchor: DateTime<Utc>, done: DateTime<Utc>, now: DateTime<Utc>) -> Passed {
        let keep = self.missed.keep();
        match &self.schedule {
            Schedule::Interval(interval) => {
                let from = interval.before_last(keep, now).map_or(done, |from| from.max(done));
                let newest = walk(from, now, keep, |after| interval.next_after(anchor, after)).0.newest;
                Passed { newest, count: interval.count(anchor, done, now) }
            }
            Schedule::Cron(cron) => match cron.parse() {
                Some(parsed) => newest(done, now, keep, |after| parsed.next_after(after)),
                None => Passed::default(),
            },
            Schedule::Date(date) => walk(done, now, keep, |after| date.next_after(after)).0,
        }
    }
}

/// The schedule in a few words, for a list.
impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schedule {
            Schedule::Interval(interval) => write!(f, "every {interval}"),
            Schedule::Cron(cron) => write!(f, "{cron}"),
            Schedule::Date(date) => write!(f, "at {}", super::text(date.at)),
        }
    }
}

fn build(
    params: &Value,
    known: &[&str],
    schedule: impl FnOnce(Fields<'_>) -> Result<Schedule, Fault>,
) -> Result<Timer, Fault> {
    let fields = Fields::open(params, known)?;
    Ok(Timer { schedule: schedule(fields)?, missed: Missed::read(fields)? })
}

/// The newest instants after `done` and until `now`. Where there are too many to be counted, the count says so many, and the
/// newest are looked for in ever shorter stretches before `now`.
fn newest(
    done: DateTime<Utc>,
    now: DateTime<Utc>,
    keep: u32,
    next: impl Fn(DateTime<Utc>) -> Option<DateTime<Utc>>,
) -> Passed {
    let (first, mut is_whole) = walk(done, now, keep, &next);
    let (count, mut passed, mut from) = (first.count, first, done);
    while !is_whole {
        from += (now - from) / 2;
        (passed, is_whole) = walk(from, now, keep, &next);
    }
    Passed { count, ..passed }
}

/// The instants after `from` and until `to`, and whether these are all.
fn walk(
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    keep: u32,
    next: impl Fn(DateTime<Utc>) -> Option<DateTime<Utc>>,
) -> (Passed, bool) {
    let (mut passed, mut at) = (Passed::default(), from);
    while let Some(instant) = next(at).filter(|instant| *instant <= to) {
        if passed.count == COUNTED {
            return (passed, false);
        }
        passed.count += 1;
        passed.newest.push_back(instant);
        if passed.newest.len() > keep as usize {
            passed.newest.pop_front();
        }
        at = instant;
    }
    (passed, true)
}
