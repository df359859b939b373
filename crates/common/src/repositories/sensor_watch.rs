//! The watch over sensors: table `sensor_watch`, which says who made the last round, and what a round reads and writes of
//! `sensor_state`.
//!
//! A round reads those whose time to be looked at has come, by the index on `look_at`, and moves that time as far as their
//! clocks allow; so what it costs follows from how many clocks are due and not from how many sensors there are. It writes a
//! change only to a row that is as it was read: with that status, epoch and tick clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;

use crate::readable::Readable;

/// A round that the caller has to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// The clock of the database stands earlier than at the round before.
    pub clock_jumped: bool,
}

/// Takes the next round, if the last one is as long ago as this. `None`: somebody else made it.
pub async fn take_round(pool: &PgPool, keeper: &str, after: Duration) -> sqlx::Result<Option<Round>> {
    sqlx::query_as!(
        Round,
        r#"UPDATE sensor_watch
           SET keeper = $1, at = clock_timestamp(), clock_jumped = at > clock_timestamp() + INTERVAL '1 second'
           WHERE at <= clock_timestamp() - $2::interval OR at > clock_timestamp() + INTERVAL '1 second'
           RETURNING clock_jumped"#,
        keeper,
        interval(after)
    )
    .fetch_optional(pool)
    .await
}

/// After a jump of the clock: what is said to have happened in the future, happened now, and every sensor is looked at. So is
/// the lease of a worker not longer than one lease from now.
pub async fn follow_clock(pool: &PgPool, lease: Duration) -> sqlx::Result<()> {
    sqlx::query!(
        r#"UPDATE worker
           SET lease_until = CASE WHEN lease_until IS NOT NULL THEN LEAST(lease_until, clock_timestamp() + $1::interval) END,
               last_heartbeat = LEAST(last_heartbeat, clock_timestamp())
           WHERE lease_until > clock_timestamp() + $1::interval OR last_heartbeat > clock_timestamp()"#,
        interval(lease)
    )
    .execute(pool)
    .await?;
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (SELECT sensor FROM sensor_state ORDER BY sensor FOR UPDATE)
           UPDATE sensor_state s
           SET look_at = clock_timestamp(), since = LEAST(since, clock_timestamp()),
               run_since = LEAST(run_since, clock_timestamp()), owner_since = LEAST(owner_since, clock_timestamp()),
               last_tick = CASE WHEN last_tick > clock_timestamp() THEN clock_timestamp() ELSE last_tick END,
               last_contact = CASE WHEN last_contact > clock_timestamp() THEN clock_timestamp() ELSE last_contact END,
               last_event = CASE WHEN last_event > clock_timestamp() THEN clock_timestamp() ELSE last_event END,
               next_try = CASE WHEN next_try > clock_timestamp() THEN clock_timestamp() ELSE next_try END
           FROM l WHERE s.sensor = l.sensor"#
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Has those looked at whose definition, or whose pack, changed within the last minutes.
pub async fn look_at_changed(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH l AS MATERIALIZED (
               SELECT s.sensor FROM sensor_state s JOIN sensor d ON d.id = s.sensor LEFT JOIN pack p ON p.id = d.pack
               WHERE GREATEST(d.updated, p.updated) > NOW() - INTERVAL '2 minutes' AND s.look_at > NOW()
               ORDER BY s.sensor FOR UPDATE OF s)
           UPDATE sensor_state s SET look_at = NOW() FROM l WHERE s.sensor = l.sensor"#
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A sensor whose clocks have to be looked at.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are the columns of a row")]
pub struct Due {
    /// `sensor.id`.
    pub sensor: i64,
    /// Its status,
    pub status: String,
    /// the reason of that,
    pub reason: Option<String>,
    /// the fence,
    pub epoch: i64,
    /// and its tick clock: a verdict is about a row that still has these.
    pub last_tick: Option<DateTime<Utc>>,
    /// Whether somebody wants it paused.
    pub paused: bool,
    /// Whether it and its pack are enabled.
    pub enabled: bool,
    /// Whether it has a worker whose lease is live.
    pub owned: bool,
    /// `poll`, `stream` or `builtin`.
    pub mode: String,
    /// Whether the stream promised to be heard.
    pub beats: bool,
    /// Seconds; `None`: its worker's default.
    pub poll_interval: Option<f64>,
    /// Seconds; `None`: its worker's default.
    pub timeout: Option<f64>,
    /// What is expected of it.
    pub expect: Option<Value>,
    /// Seconds between its canaries; `None`: it sends none.
    pub canary: Option<f64>,
    /// What its worker can do, and its defaults.
    pub capabilities: Option<Value>,
    /// Seconds since its status is this,
    pub since: f64,
    /// since it could have had events,
    pub run_since: f64,
    /// since its worker is this one, or it has none,
    pub owner_since: f64,
    /// since it ticked, reached its source and had an event,
    pub tick: Option<f64>,
    /// (see `tick`)
    pub contact: Option<f64>,
    /// (see `tick`)
    pub event: Option<f64>,
    /// and since its next try was due, negative while it is not.
    pub overdue: Option<f64>,
}

/// Up to `limit` sensors that are to be looked at, the longest due first. By the time of the statement, which an index can find.
pub async fn list_due(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
        r#"SELECT s.sensor AS "sensor!", s.status AS "status!", s.reason AS "reason?", s.epoch AS "epoch!", s.last_tick AS "last_tick?",
                  s.paused AS "paused!", s.beats AS "beats!",
                  d.enabled AND p.enabled IS NOT FALSE AS "enabled!",
                  COALESCE(w.lease_until > clock_timestamp(), FALSE) AS "owned!",
                  d.mode AS "mode!", d.poll_interval AS "poll_interval?", d.timeout AS "timeout?", d.expect AS "expect!: Readable", d.canary AS "canary?", w.capabilities AS "capabilities!: Readable",
                  EXTRACT(EPOCH FROM clock_timestamp() - s.since)::float8 AS "since!",
                  EXTRACT(EPOCH FROM clock_timestamp() - s.run_since)::float8 AS "run_since!",
                  EXTRACT(EPOCH FROM clock_timestamp() - s.owner_since)::float8 AS "owner_since!",
                  EXTRACT(EPOCH FROM clock_timestamp() - s.last_tick)::float8 AS tick,
                  EXTRACT(EPOCH FROM clock_timestamp() - s.last_contact)::float8 AS contact,
                  EXTRACT(EPOCH FROM clock_timestamp() - s.last_event)::float8 AS event,
                  EXTRACT(EPOCH FROM clock_timestamp() - s.next_try)::float8 AS overdue
           FROM (SELECT * FROM sensor_state WHERE look_at <= NOW() ORDER BY look_at LIMIT $1) s
           JOIN sensor d ON d.id = s.sensor LEFT JOIN pack p ON p.id = d.pack LEFT JOIN worker w ON w.id = s.worker"#,
        limit
    )
    .fetch_all(pool)
    .await
}

/// What a round found, one entry for each sensor, as columns.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// `sensor.id`.
    pub sensor: Vec<i64>,
    /// The status it was judged in,
    pub from: Vec<String>,
    /// with this epoch
    pub epoch: Vec<i64>,
    /// and tick clock.
    pub last_tick: Vec<Option<DateTime<Utc>>>,
    /// The status that follows; `None`: the same.
    pub to: Vec<Option<String>>,
    /// The reason of that.
    pub reason: Vec<Option<String>>,
    /// Seconds until it is looked at again.
    pub look_again: Vec<f64>,
}

/// Writes what a round found. Rows that changed meanwhile are left for the next one. Clocks that stand in the future are set
/// to now: they say that something happened, and only its time is wrong.
pub async fn write(pool: &PgPool, verdicts: &Verdicts) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH v AS MATERIALIZED (
               SELECT s.sensor, u.status, u.reason, u.look_again
               FROM sensor_state s
               JOIN unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::float8[])
                    AS u (sensor, was, epoch, last_tick, status, reason, look_again) ON s.sensor = u.sensor
               WHERE s.sensor = ANY($1) AND s.status = u.was AND s.epoch = u.epoch AND s.last_tick IS NOT DISTINCT FROM u.last_tick
               ORDER BY s.sensor FOR UPDATE OF s)
           UPDATE sensor_state s
           SET status = COALESCE(v.status, s.status), reason = CASE WHEN v.status IS NULL THEN s.reason ELSE v.reason END,
               next_try = CASE WHEN v.status IS NULL THEN s.next_try END,
               look_at = clock_timestamp() + make_interval(secs => v.look_again),
               last_tick = CASE WHEN s.last_tick > clock_timestamp() THEN clock_timestamp() ELSE s.last_tick END,
               last_contact = CASE WHEN s.last_contact > clock_timestamp() THEN clock_timestamp() ELSE s.last_contact END,
               last_event = CASE WHEN s.last_event > clock_timestamp() THEN clock_timestamp() ELSE s.last_event END
           FROM v WHERE s.sensor = v.sensor"#,
        &verdicts.sensor,
        &verdicts.from,
        &verdicts.epoch,
        &verdicts.last_tick as &[Option<DateTime<Utc>>],
        &verdicts.to as &[Option<String>],
        &verdicts.reason as &[Option<String>],
        &verdicts.look_again
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A worker that runs sensors, or did.
#[derive(Debug)]
pub struct LastWorker {
    /// `worker.name`.
    pub name: String,
    /// Whether its lease is live.
    pub live: bool,
    /// Whether it went by itself.
    pub left: bool,
    /// Seconds since it was heard, or left.
    pub ago: f64,
}

/// The sensor worker that was heard last. `None`: there never was one.
pub async fn find_last_worker(pool: &PgPool, lease: Duration) -> sqlx::Result<Option<LastWorker>> {
    sqlx::query_as!(
        LastWorker,
        r#"SELECT name AS "name!", live AS "live!", left_ AS "left!", EXTRACT(EPOCH FROM clock_timestamp() - heard)::float8 AS "ago!"
           FROM (SELECT name, COALESCE(lease_until > clock_timestamp() AND status = 'active', FALSE) AS live,
                        lease_until IS NULL AS left_,
                        CASE WHEN lease_until IS NULL THEN updated ELSE GREATEST(last_heartbeat, lease_until - $1::interval) END AS heard
                 FROM worker
                 WHERE worker_role = 'sensor' OR worker_role = 'hybrid' AND capabilities ? 'max_concurrent_sensors') w
           ORDER BY live DESC, heard DESC LIMIT 1"#,
        interval(lease)
    )
    .fetch_optional(pool)
    .await
}

fn interval(time: Duration) -> PgInterval {
    let microseconds = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
