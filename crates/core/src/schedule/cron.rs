//! A cron expression in a time zone: five fields, or six with the seconds first.
//!
//! What the clocks do to it is Vixie cron's rule. An expression whose seconds, minutes and hours name times (`30 2 * * *`,
//! `0 9,17 * * *`) means those times of each day: one that is leapt over in spring fires once, right after the leap, and one
//! that comes twice in autumn fires the first time only. With a `*` or a step in one of these fields (`*/5 * * * *`) it means
//! an interval: it fires whenever the wall clock matches, so twice in the hour that comes twice and never in one that is
//! leapt over.
//!
//! The searching is croner's. It counts only an expression of one single time as times, so for lists of times it is asked
//! about the wall clock alone, and [`zone`] makes instants of the answers. A parsed expression takes 5 KB, a byte for each
//! year, so what is kept is the text.

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron as Pattern;
use croner::parser::{CronParser, Year};

use super::fields::{Fault, Fields, quote};
use super::zone;

/// A cron expression with its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    text: Box<str>,
    pub(super) zone: Tz,
}

/// A cron expression, ready to be asked.
#[derive(Debug)]
pub(super) struct Parsed {
    pattern: Pattern,
    zone: Tz,
    is_interval: bool,
}

impl Cron {
    pub(super) const PARAMS: &[&str] = &["cron", "timezone", "missed", "missed_limit"];

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Fault> {
        let text = fields.required_text("cron")?;
        let zone = zone::read(fields)?;
        let wrong =
            |reason: String| Fault::new("cron", format!("{:?} is no cron expression: {reason}", quote(text)));
        let parsed = Parsed::new(text, zone).map_err(wrong)?;
        // Any time does: what comes once in four hundred years comes after it.
        parsed.next_after(DateTime::UNIX_EPOCH).ok_or_else(|| wrong("no day is like that".to_owned()))?;
        Ok(Self { text: text.into(), zone })
    }

    /// Ready to be asked. `None` can not be, since it was parsed before.
    pub(super) fn parse(&self) -> Option<Parsed> {
        Parsed::new(&self.text, self.zone).ok()
    }
}

impl Parsed {
    fn new(text: &str, zone: Tz) -> Result<Self, String> {
        let parser = CronParser::builder().year(Year::Disallowed).build();
        let pattern = parser.parse(text).map_err(|error| error.to_string())?;
        let is_interval = is_interval(pattern.pattern.as_str());
        Ok(Self { pattern, zone, is_interval })
    }

    /// The first instant after `after`.
    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = after.with_timezone(&self.zone);
        if self.is_interval {
            let next = self.pattern.find_next_occurrence(&local, false).ok()?;
            return Some(next.with_timezone(&Utc));
        }
        // Later wall clock times never stand for earlier instants. So what the wall clock showed is passed, and the first
        // later time whose instant is not passed is the next.
        let mut civil = local.naive_local();
        loop {
            civil = self.pattern.find_next_occurrence(&civil, false).ok()?;
            let instant = zone::of_civil(self.zone, civil)?;
            if instant > after {
                return Some(instant);
            }
        }
    }
}

/// The expression and its zone.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.zone)
    }
}

/// Whether a `*` or a step stands in the fields for the time of day, which are all but the last three.
fn is_interval(pattern: &str) -> bool {
    let fields: Vec<_> = pattern.split_whitespace().collect();
    let time_of_day = &fields[..fields.len().saturating_sub(3)];
    time_of_day.iter().any(|field| field.contains(['*', '/']))
}
