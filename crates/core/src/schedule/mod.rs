//! When a timer fires: from the parameters that a rule gives one of the timer triggers to instants.
//!
//! Everything is a function of the parameters, the timer's anchor and the instants that are asked about; no clock is read. So
//! whoever asks again, another process or the same one after a restart, is given the same instants, and an instant can be the
//! key of its event.
//!
//! Instants are in UTC. A time zone matters to a cron expression and to a date without an offset; `zone` says what becomes of
//! a wall clock time that does not exist or exists twice. What was not fired in time is `missed`'s matter.

mod cron;
mod date;
mod fields;
mod interval;
mod missed;
mod timer;
mod zone;

pub use fields::Fault;
pub use missed::{DEFAULT_LIMIT, Due, GRACE, Missed, Policy};
pub use timer::{TRIGGERS, Timer};

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant in the one form in which it stands in keys and payloads: RFC 3339, UTC, milliseconds.
pub fn text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}
