//! Table `sensor_state`: who runs a sensor under which epoch, and how it fares.
//!
//! The epoch is the fence: it rises whenever `worker` changes, and ingest admits only events that name the current one.
//! Lock order everywhere: `sensor_state` before `event_key`, rows by id. An owner that writes what it kept back for a moment
//! names `polls` as well, which every write of a poll raises: so a late write never undoes a newer one.
//!
//! Each statement that writes the status says what becomes of each old one. It is the table `attune_core::sensor_status`, and
//! a test holds them against it. The times `since` and `run_since`, and the notice of a change, are the work of triggers.

mod nowhere;
mod owned;
mod polled;
mod status;
mod streamed;

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

pub use nowhere::{mark_stopped, mark_unschedulable};
pub(super) use owned::release_all;
pub use owned::{Owned, claim, find_owned, list_owned, release};
pub use polled::{Failed, TickColumns, mark_failing, write_ticks};
pub use status::{mark_starting, pause};
pub use streamed::{Heard, Resumed, mark_running, mark_stream_failing, resume, write_heard};

fn interval(time: Duration) -> PgInterval {
    let microseconds = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
