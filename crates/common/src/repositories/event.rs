//! Tables `event`, `enforcement`, `event_key`, `event_rejected`, and the birth of executions: the one statement of ingest.
//!
//! A batch goes in by one data-modifying statement, which is one transaction and one round trip. Its parts see one
//! snapshot, so comparing `config_version` inside it proves that the rules it was matched against are the rules in force:
//! when the version differs, nothing at all is written, and the caller matches again. The fence works alike: sensors whose
//! epoch is not the named one are left out with their events, and never abort their neighbours.

use attune_core::event::EventView;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;

use crate::readable::Readable;

/// A batch as columns; each group of vectors has one length, and that of `causes` may be shorter than that of its events.
#[derive(Debug, Default)]
pub struct Batch {
    /// What each sensor commits beside its events.
    pub sensors: SensorColumns,
    /// The events.
    pub events: EventColumns,
    /// What caused them, if anything did.
    pub causes: CauseColumns,
    /// One per event and rule that fired.
    pub enforcements: EnforcementColumns,
    /// What can not be an event.
    pub rejected: RejectedColumns,
}

/// What a sensor commits beside its events; each sensor once.
#[derive(Debug, Default)]
pub struct SensorColumns {
    /// `sensor.id`.
    pub sensor: Vec<i64>,
    /// The fence.
    pub epoch: Vec<i64>,
    /// The new state; `None` leaves it.
    pub state: Vec<Option<Value>>,
    /// Polls that this commit stands for.
    pub polls: Vec<i64>,
    /// Duplicates found before the database was asked.
    pub duplicates: Vec<i64>,
    /// Events that were set aside and are not stored.
    pub rejected: Vec<i64>,
    /// How late the last of the polls had started; `None`: it was no poll.
    pub lateness_ms: Vec<Option<i64>>,
    /// Whether it said that it reached its source.
    pub contact: Vec<bool>,
    /// What the timeline shows of it, the newest first; `None`: nothing.
    pub ticks: Vec<Option<Value>>,
    /// Whether it said something; without that its row stays as it is.
    pub heard: Vec<bool>,
}

/// Columns of table `event`, and what its key needs.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, whose meaning SPEC section 3 gives")]
pub struct EventColumns {
    pub id: Vec<i64>,
    pub trigger: Vec<i64>,
    pub trigger_ref: Vec<String>,
    pub trigger_params: Vec<Option<Value>>,
    pub sensor: Vec<Option<i64>>,
    pub sensor_ref: Vec<Option<String>>,
    pub source: Vec<Option<String>>,
    pub key: Vec<Option<String>>,
    /// `event_key.source`: whose key it is.
    pub key_source: Vec<Option<String>>,
    pub key_expires: Vec<Option<DateTime<Utc>>>,
    /// JSON text, made once.
    pub payload: Vec<String>,
    pub created: Vec<DateTime<Utc>>,
    pub sensor_config: Vec<Option<i64>>,
    pub pack_digest: Vec<Option<String>>,
}

/// More columns of table `event`, for those that executions sent. They end with the last such event, since `unnest` fills up
/// what is missing: where nothing was caused, they cost nothing.
#[derive(Debug, Default)]
pub struct CauseColumns {
    caused_by: Vec<Option<i64>>,
    depth: Vec<Option<i16>>,
    root: Vec<Option<i64>>,
}

impl CauseColumns {
    /// What caused the last of so many events.
    pub fn add(&mut self, events: usize, caused_by: i64, depth: i16, root: Option<i64>) {
        let before = events.saturating_sub(1);
        self.caused_by.resize(before, None);
        self.depth.resize(before, None);
        self.root.resize(before, None);
        self.caused_by.push(Some(caused_by));
        self.depth.push(Some(depth));
        self.root.push(root);
    }
}

/// Columns of table `enforcement`, and of the execution that each one without a reason gets.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the tables, whose meaning SPEC section 3 gives")]
pub struct EnforcementColumns {
    pub event: Vec<i64>,
    pub rule: Vec<i64>,
    pub rule_ref: Vec<String>,
    pub rule_revision: Vec<i64>,
    /// Why it failed; `None` means it was created and has an execution.
    pub reason: Vec<Option<String>>,
    pub action: Vec<Option<i64>>,
    pub action_ref: Vec<Option<String>>,
    pub runtime: Vec<Option<i64>>,
    /// JSON text, made once.
    pub params: Vec<Option<String>>,
    pub trigger_ref: Vec<String>,
    pub pack_digest: Vec<Option<String>>,
    pub created: Vec<DateTime<Utc>>,
}

/// Columns of table `event_rejected`.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table, whose meaning SPEC section 6 gives")]
pub struct RejectedColumns {
    pub sensor: Vec<i64>,
    pub sensor_ref: Vec<String>,
    pub trigger_ref: Vec<Option<String>>,
    pub raw: Vec<Vec<u8>>,
    pub reason: Vec<String>,
}

/// What a batch did.
#[derive(Debug)]
pub struct Inserted {
    /// The config version in force. When it is not the one that was named, nothing was written.
    pub version: i64,
    /// Ids of the events that are in.
    pub events: Vec<i64>,
    /// Sensors whose fence held.
    pub sensors: Vec<i64>,
    /// Executions that were born.
    pub executions: i64,
    /// Whether one of them waits for its turn.
    pub is_any_waiting: bool,
}

/// Takes `count` event ids, so that conditions and templates see the id before the row exists.
pub async fn take_ids(pool: &PgPool, count: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"SELECT nextval('event_id_seq') AS "id!" FROM generate_series(1, $1::bigint)"#,
        count
    )
    .fetch_all(pool)
    .await
}

/// Commits a batch that was matched at `version`.
pub async fn insert_batch(pool: &PgPool, version: i64, batch: &Batch) -> sqlx::Result<Inserted> {
    let (s, e, f, r) = (&batch.sensors, &batch.events, &batch.enforcements, &batch.rejected);
    let causes = &batch.causes;
    sqlx::query_file_as!(
        Inserted,
        "queries/insert_batch.sql",
        version,
        &s.sensor,
        &s.epoch,
        &s.state as &[Option<Value>],
        &s.polls,
        &s.duplicates,
        &e.id,
        &e.trigger,
        &e.trigger_ref,
        &e.trigger_params as &[Option<Value>],
        &e.sensor as &[Option<i64>],
        &e.sensor_ref as &[Option<String>],
        &e.source as &[Option<String>],
        &e.key as &[Option<String>],
        &e.key_source as &[Option<String>],
        &e.key_expires as &[Option<DateTime<Utc>>],
        &e.payload,
        &e.created,
        &e.sensor_config as &[Option<i64>],
        &e.pack_digest as &[Option<String>],
        &f.event,
        &f.rule,
        &f.rule_ref,
        &f.rule_revision,
        &f.reason as &[Option<String>],
        &f.action as &[Option<i64>],
        &f.action_ref as &[Option<String>],
        &f.runtime as &[Option<i64>],
        &f.params as &[Option<String>],
        &f.trigger_ref,
        &f.pack_digest as &[Option<String>],
        &f.created,
        &r.sensor,
        &r.sensor_ref,
        &r.trigger_ref as &[Option<String>],
        &r.raw,
        &r.reason,
        &s.lateness_ms as &[Option<i64>],
        &s.contact,
        &s.ticks as &[Option<Value>],
        &s.heard,
        &causes.caused_by as &[Option<i64>],
        &causes.depth as &[Option<i16>],
        &causes.root as &[Option<i64>],
        &s.rejected
    )
    .fetch_one(pool)
    .await
}

/// Which of these events exist.
pub async fn find_ids(pool: &PgPool, ids: &[i64]) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!("SELECT id FROM event WHERE id = ANY($1)", ids).fetch_all(pool).await
}

/// Which of these keys of a source keep a second event out now.
pub async fn find_keys(pool: &PgPool, source: &str, keys: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT key FROM event_key WHERE source = $1 AND key = ANY($2) AND expires > clock_timestamp()",
        source,
        keys
    )
    .fetch_all(pool)
    .await
}

/// The newest events of a trigger, the newest first.
pub async fn list_last(pool: &PgPool, trigger: &str, limit: i64) -> sqlx::Result<Vec<EventView>> {
    sqlx::query_as!(
        EventView,
        r#"SELECT id, trigger_ref AS "trigger!", sensor_ref AS sensor, source, key, payload AS "payload!: Readable",
                  trigger_params AS "trigger_params!: Readable", readable_time(created) AS "created!"
           FROM event WHERE trigger_ref = $1 ORDER BY id DESC LIMIT $2"#,
        trigger,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Keys of a source that are an instant and a name: for each name that has some in this stretch, the newest instant.
pub async fn list_newest_keys(
    pool: &PgPool,
    source: &str,
    from: &str,
    to: &str,
) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"SELECT split_part(key, ' ', 2) AS "name!", max(split_part(key, ' ', 1)) AS "instant!"
           FROM event_key WHERE source = $1 AND key >= $2 AND key < $3 GROUP BY 1"#,
        source,
        from,
        to
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.instant)).collect())
}

/// Removes up to `limit` keys whose window is over. Returns how many went.
pub async fn delete_expired_keys(pool: &PgPool, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"DELETE FROM event_key WHERE ctid = ANY(ARRAY(
               SELECT ctid FROM event_key WHERE expires <= statement_timestamp()
               ORDER BY expires LIMIT $1 FOR UPDATE SKIP LOCKED))"#,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// When the newest event was created; `None` without events.
pub async fn newest(pool: &PgPool) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(r#"SELECT readable_time(created) AS "created!" FROM event ORDER BY id DESC LIMIT 1"#)
        .fetch_optional(pool)
        .await
}
