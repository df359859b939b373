//! Every so often: instants at a fixed distance, counted from an anchor that never moves.
//!
//! The distance is time that passes, not wall clock time: a day is 24 hours whatever the clocks do.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::fields::{Fault, Fields};
use super::zone;

/// A year and a day. Who wants more wants a date.
const LONGEST: i64 = 366 * 86_400;
/// The parameters that make up the period, and how many seconds each is.
const UNITS: [(&str, i64); 4] = [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400)];

/// A period with its phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    period: TimeDelta,
    /// The first instant, when the rule says one; else the first is one period after the anchor.
    start: Option<DateTime<Utc>>,
}

impl Interval {
    pub(super) const PARAMS: &[&str] =
        &["seconds", "minutes", "hours", "days", "start", "missed", "missed_limit"];

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Fault> {
        let mut seconds = 0;
        for (unit, length) in UNITS {
            let most = u32::try_from(LONGEST / length).unwrap_or(u32::MAX);
            seconds += length * i64::from(fields.count(unit, 0, most)?.unwrap_or(0));
        }
        if !(1..=LONGEST).contains(&seconds) {
            let message = format!(
                "seconds, minutes, hours and days together must be from 1 second to 366 days, not {seconds} seconds"
            );
            return Err(Fault::new("seconds", message));
        }
        let start = fields.text("start")?.map(|text| zone::instant("start", text)).transpose()?;
        Ok(Self { period: TimeDelta::seconds(seconds), start })
    }

    /// The first instant after `after`.
    pub(super) fn next_after(&self, anchor: DateTime<Utc>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = self.first(anchor)?;
        if after < first {
            return Some(first);
        }
        let passed = (after - first).num_milliseconds() / self.period.num_milliseconds();
        first.checked_add_signed(self.times(passed.checked_add(1)?)?)
    }

    /// How many instants there are after `after` and until `until`.
    pub(super) fn count(&self, anchor: DateTime<Utc>, after: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        let Some(next) = self.next_after(anchor, after).filter(|next| *next <= until) else { return 0 };
        let more = (until - next).num_milliseconds() / self.period.num_milliseconds();
        u64::try_from(more).unwrap_or(0).saturating_add(1)
    }

    /// A time that at most `count` instants lie between and `until`.
    pub(super) fn before_last(&self, count: u32, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        until.checked_sub_signed(self.times(count.into())?)
    }

    fn first(&self, anchor: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.start.or_else(|| anchor.checked_add_signed(self.period))
    }

    fn times(&self, count: i64) -> Option<TimeDelta> {
        TimeDelta::try_milliseconds(self.period.num_milliseconds().checked_mul(count)?)
    }
}

/// `1 d 2 h 3 min 4 s`, without the parts that are nothing.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.period.num_seconds();
        let parts = [
            (seconds / 86_400, "d"),
            (seconds / 3600 % 24, "h"),
            (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        f.write_str(&parts.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" "))
    }
}
