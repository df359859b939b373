//! An event through every arrow, as somebody follows it who is shown what happens: reads only, over several tables.
//!
//! Executions are read in the order of their ids from a mark on, by the primary key; their enforcements and events by id.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;

use crate::readable::Readable;

/// One execution with where it came from.
#[derive(Debug, Clone)]
pub struct Journey {
    /// `execution.id`.
    pub execution: i64,
    /// `event.id`.
    pub event: i64,
    /// The sensor that saw it; `None` for a posted event.
    pub sensor: Option<String>,
    /// The trigger of the event.
    pub trigger: String,
    /// The rule that fired.
    pub rule: String,
    /// The action that runs.
    pub action: String,
    /// `execution.status`.
    pub status: String,
    /// What the action gave.
    pub result: Option<Value>,
    /// Why it did not succeed.
    pub error: Option<String>,
    /// When the event was taken in.
    pub created: DateTime<Utc>,
    /// When the action was started.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
}

/// Up to 1000 executions of rules with ids above `after`, in the order of their ids.
pub async fn list_after(pool: &PgPool, after: i64) -> sqlx::Result<Vec<Journey>> {
    sqlx::query_as!(
        Journey,
        r#"SELECT x.id AS execution, e.id AS event, e.sensor_ref AS sensor, e.trigger_ref AS trigger, f.rule_ref AS rule,
                  x.action_ref AS action, x.status::text AS "status!", x.result AS "result!: Readable", x.error,
                  readable_time(e.created) AS "created!", readable_time(x.started) AS started, readable_time(x.finished) AS finished
           FROM execution x JOIN enforcement f ON f.id = x.enforcement JOIN event e ON e.id = f.event
           WHERE x.id > $1 ORDER BY x.id LIMIT 1000"#,
        after
    )
    .fetch_all(pool)
    .await
}

/// How a sensor fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fare {
    /// `sensor.ref`.
    pub sensor: String,
    /// `sensor_state.status`.
    pub status: String,
    /// Why it is not running.
    pub reason: Option<String>,
    /// Polls so far, failed ones too.
    pub polls: i64,
    /// Events so far.
    pub events: i64,
    /// Failed polls so far.
    pub errors: i64,
    /// What its last failed poll said.
    pub last_error: Option<String>,
}

/// The sensors of a pack, by ref.
pub async fn list_sensors(pool: &PgPool, pack: &str) -> sqlx::Result<Vec<Fare>> {
    sqlx::query_as!(
        Fare,
        r#"SELECT s.ref AS "sensor!", x.status, x.reason, x.polls, x.events, x.errors, x.last_error
           FROM sensor s JOIN sensor_state x ON x.sensor = s.id WHERE s.pack_ref = $1 ORDER BY s.ref"#,
        pack
    )
    .fetch_all(pool)
    .await
}

/// How many executions are in each state, by state.
pub async fn count_executions(pool: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT status::text AS "status!", count(*) AS "count!" FROM execution GROUP BY status ORDER BY 1"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.status, row.count)).collect())
}

/// How many enforcements there are.
pub async fn count_enforcements(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM enforcement"#).fetch_one(pool).await
}

/// Disables the sensors of a pack, so that what is under way can come to its end.
pub async fn disable_sensors(pool: &PgPool, pack: &str) -> sqlx::Result<u64> {
    let done = sqlx::query!("UPDATE sensor SET enabled = FALSE WHERE pack_ref = $1 AND enabled", pack)
        .execute(pool)
        .await?;
    Ok(done.rows_affected())
}
