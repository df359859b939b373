//! A timer's events, and what the keys say about those that are in.

use std::collections::HashMap;

use attune_common::repositories::event;
use attune_core::schedule;
use attune_executor::ingest::{NewEvent, own_key_source};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::live::{AHEAD, Live};

/// `event.source` of what timers fire.
pub const SOURCE: &str = "timer";

/// The event of one instant, before which `missed` were not fired.
pub(crate) fn event(
    timer: &Live,
    params: &Value,
    instant: DateTime<Utc>,
    missed: u64,
    now: DateTime<Utc>,
) -> NewEvent {
    let mut payload =
        json!({"scheduled": schedule::text(instant), "fired": schedule::text(now), "missed": missed});
    if let Some(local) = timer.timer.local(instant) {
        payload["local"] = Value::from(local);
    }
    NewEvent {
        trigger: timer.name.trigger.to_owned(),
        payload,
        trigger_params: Some(params.clone()),
        // The instant first, so that the keys of a time lie together in the index.
        key: Some(format!("{} {}", schedule::text(instant), timer.id)),
    }
}

/// For each timer that fired at `from` or later, whoever did it, its newest instant. What a wrong clock fired far in the
/// future does not count.
pub(crate) async fn newest_since(
    pool: &PgPool,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<i64, DateTime<Utc>>> {
    let (from, to) = (schedule::text(from), schedule::text(now + AHEAD));
    let keys = event::list_newest_keys(pool, &own_key_source(SOURCE), &from, &to).await?;
    let read = |(id, instant): (String, String)| {
        Some((id.parse().ok()?, DateTime::parse_from_rfc3339(&instant).ok()?.with_timezone(&Utc)))
    };
    Ok(keys.into_iter().filter_map(read).collect())
}
