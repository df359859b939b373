//! How far the last canary of a sensor came: reads only, over event, enforcement and execution.
//!
//! A sensor's canaries, and what followed from them, are found by indexes that have nothing else in them. Of each sensor
//! no more than its last fifty are looked at, the newest first, until one is found that arrived; and only of sensors that send some.

use attune_core::sensor_status::{Execution, Trail};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;
use std::time::Duration;

/// The last canary of one sensor, arrow by arrow.
#[derive(Debug, Clone)]
pub struct Canary {
    /// `sensor.id`.
    pub sensor: i64,
    /// `event.id`; `None`: there never was one.
    pub event: Option<i64>,
    /// What names it.
    pub mark: Option<String>,
    /// When it was taken in.
    pub seen: Option<DateTime<Utc>>,
    /// Seconds since then.
    pub seen_ago: Option<f64>,
    /// Whether the trigger is there and enabled,
    pub trigger_enabled: bool,
    /// and the rule.
    pub rule_enabled: bool,
    /// `enforcement.id`, when the rule fired.
    pub enforcement: Option<i64>,
    /// Why nothing could follow.
    pub reason: Option<String>,
    /// `execution.id`.
    pub execution: Option<i64>,
    /// Its action,
    pub action: Option<String>,
    /// its status,
    pub status: Option<String>,
    /// why it failed,
    pub error: Option<String>,
    /// when a worker took it,
    pub started: Option<DateTime<Utc>>,
    /// and when it ended.
    pub finished: Option<DateTime<Utc>>,
    /// The runtime that it needs, when no live worker says that it has it.
    pub lacks: Option<String>,
    /// Seconds since the newest of its last canaries arrived that did.
    pub arrived_ago: Option<f64>,
}

/// The last canary of each of these sensors.
pub async fn list_last(pool: &PgPool, sensors: &[i64]) -> sqlx::Result<Vec<Canary>> {
    sqlx::query_as!(
        Canary,
        r#"SELECT u.sensor AS "sensor!", e.id AS "event?", e.payload->>'mark' AS mark, readable_time(e.created) AS "seen?",
                  EXTRACT(EPOCH FROM clock_timestamp() - readable_time(e.created))::float8 AS seen_ago,
                  EXISTS (SELECT FROM trigger t LEFT JOIN pack p ON p.id = t.pack
                          WHERE t.ref = 'core.canary' AND t.enabled AND p.enabled IS NOT FALSE) AS "trigger_enabled!",
                  EXISTS (SELECT FROM rule r LEFT JOIN pack p ON p.id = r.pack
                          WHERE r.ref = 'core.canary' AND r.enabled AND p.enabled IS NOT FALSE) AS "rule_enabled!",
                  f.id AS "enforcement?", f.reason AS "reason?", x.id AS "execution?", x.action_ref AS "action?", x.status::text AS status,
                  x.error AS "error?", readable_time(x.started) AS "started?", readable_time(x.finished) AS "finished?",
                  (SELECT r.ref FROM runtime r WHERE r.id = x.runtime AND NOT EXISTS (
                      SELECT FROM worker w WHERE w.lease_until > clock_timestamp() AND w.worker_role <> 'sensor'
                        AND COALESCE(w.capabilities->'runtime_details' ? r.ref, TRUE))) AS lacks,
                  (SELECT EXTRACT(EPOCH FROM clock_timestamp() - readable_time(y.finished))::float8
                   FROM (SELECT v.id FROM event v WHERE v.sensor = u.sensor AND v.trigger_ref = 'core.canary'
                         ORDER BY v.id DESC LIMIT 50) v
                   JOIN enforcement g ON g.event = v.id AND g.rule_ref = 'core.canary'
                   JOIN execution y ON y.enforcement = g.id AND y.rule_ref = 'core.canary'
                   WHERE y.status = 'succeeded' ORDER BY v.id DESC LIMIT 1) AS arrived_ago
           FROM unnest($1::bigint[]) AS u (sensor)
           LEFT JOIN LATERAL (SELECT v.* FROM event v WHERE v.sensor = u.sensor AND v.trigger_ref = 'core.canary'
                              ORDER BY v.id DESC LIMIT 1) e ON TRUE
           LEFT JOIN LATERAL (SELECT g.* FROM enforcement g WHERE g.event = e.id AND g.rule_ref = 'core.canary' LIMIT 1) f ON TRUE
           LEFT JOIN LATERAL (SELECT y.* FROM execution y WHERE y.enforcement = f.id AND y.rule_ref = 'core.canary' LIMIT 1) x ON TRUE"#,
        sensors
    )
    .fetch_all(pool)
    .await
}

impl Canary {
    /// What the judge of sensors knows of it.
    pub fn trail(&self) -> Trail {
        let execution = self.execution.map(|id| Execution {
            id,
            action: self.action.clone().unwrap_or_default(),
            status: self.status.clone().unwrap_or_default(),
            error: self.error.clone(),
            lacks: self.lacks.clone(),
        });
        Trail {
            seen: self.seen_ago.map(|ago| Duration::try_from_secs_f64(ago).unwrap_or_default()),
            at: self.seen.map(|at| at.format("%H:%M:%S UTC").to_string()).unwrap_or_default(),
            trigger_enabled: self.trigger_enabled,
            rule_enabled: self.rule_enabled,
            fired: self.enforcement.map(|_| self.reason.clone()),
            execution,
        }
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let time = |at: Option<DateTime<Utc>>| at.map(attune_core::schedule::text);
        serde_json::json!({
            "event": self.event, "mark": self.mark, "enforcement": self.enforcement, "execution": self.execution,
            "status": self.status, "seen": time(self.seen), "started": time(self.started),
            "finished": time(self.finished), "stuck": self.trail().stuck(),
        })
    }
}
