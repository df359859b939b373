//! From the wall clock of a time zone to instants.
//!
//! Where clocks are put forward, a wall clock time that they leap over stands for the instant of the leap: whoever asked for
//! 02:30 is served as soon as it is later than that. Where clocks are put back, a wall clock time that comes twice stands for
//! the first.

use std::str::FromStr as _;

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound as _, TimeZone as _, Utc};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};

use super::fields::{Fault, Fields, quote};
use crate::pack::hint;

/// The parameter `timezone`; UTC without it.
pub(super) fn read(fields: Fields<'_>) -> Result<Tz, Fault> {
    let name = fields.text("timezone")?.unwrap_or("UTC");
    Tz::from_str(name).map_err(|_| {
        let hint = hint(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let message = format!("{:?} is no time zone of the IANA database{hint}", quote(name));
        Fault::new("timezone", message)
    })
}

/// RFC 3339 with an offset.
pub(super) fn instant(field: &str, text: &str) -> Result<DateTime<Utc>, Fault> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed.map(|time| time.with_timezone(&Utc).trunc_subsecs(3)).map_err(|_| {
        let message = format!("{:?} is no time such as 2026-12-24T18:00:00Z", quote(text));
        Fault::new(field, message)
    })
}

/// RFC 3339 with an offset, or a wall clock time of the zone without one.
pub(super) fn instant_in(zone: Tz, field: &str, text: &str) -> Result<DateTime<Utc>, Fault> {
    match ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    {
        Some(civil) => of_civil(zone, civil.trunc_subsecs(3))
            .ok_or_else(|| Fault::new(field, format!("{:?} is out of the range of times", quote(text)))),
        None => instant(field, text),
    }
}

/// The instant that a wall clock time stands for.
pub(super) fn of_civil(zone: Tz, civil: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&civil) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.with_timezone(&Utc)),
        LocalResult::None => GapInfo::new(&civil, &zone)?.end.map(|time| time.with_timezone(&Utc)),
    }
}
