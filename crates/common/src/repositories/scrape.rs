//! What a monitoring system reads: each sensor and each action in one statement, and how many there are of the rest in another.
//!
//! The figures are those of table `usage`, of all time. Who never ran has them too, as 0: whoever counts what came since must
//! see where it began.

use sqlx::PgPool;

/// A sensor or an action, and what it used since there is such a table.
#[derive(Debug, Clone)]
pub struct Thing {
    /// `sensor` or `action`.
    pub kind: String,
    /// Its ref.
    pub r#ref: String,
    /// A sensor's status.
    pub status: Option<String>,
    /// How late a sensor's last poll started.
    pub lateness_ms: Option<i64>,
    /// Polls or runs.
    pub runs: i64,
    /// Those that failed.
    pub failed: i64,
    /// Those of the failed that took too long.
    pub timed_out: i64,
    /// Those that somebody wanted to end.
    pub stopped: i64,
    /// Processor time.
    pub cpu_us: i64,
    /// Time from start to end.
    pub wall_us: i64,
    /// Output that was read.
    pub output_bytes: i64,
    /// Events.
    pub events: i64,
    /// The most memory in this hour and the one before.
    pub peak_memory_bytes: i64,
}

/// The first `limit` sensors and as many actions by name.
pub async fn list_things(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<Thing>> {
    sqlx::query_as!(
        Thing,
        r#"SELECT t.kind AS "kind!", t.ref AS "ref!", t.status, t.lateness_ms,
                  COALESCE(u.runs, 0) AS "runs!", COALESCE(u.failed, 0) AS "failed!", COALESCE(u.timed_out, 0) AS "timed_out!",
                  COALESCE(u.stopped, 0) AS "stopped!", COALESCE(u.cpu_us, 0) AS "cpu_us!", COALESCE(u.wall_us, 0) AS "wall_us!",
                  COALESCE(u.output_bytes, 0) AS "output_bytes!", COALESCE(u.events, 0) AS "events!",
                  COALESCE(h.peak, 0) AS "peak_memory_bytes!"
           FROM ((SELECT 'sensor' AS kind, s.id, s.ref, x.status, x.lateness_ms
                  FROM sensor s JOIN sensor_state x ON x.sensor = s.id ORDER BY s.ref LIMIT $1)
                 UNION ALL
                 (SELECT 'action', a.id, a.ref, NULL, NULL FROM action a ORDER BY a.ref LIMIT $1)) t
           LEFT JOIN usage u ON u.kind = t.kind AND u.id = t.id AND u.period = 'ever' AND u.start = '-infinity'
           LEFT JOIN (SELECT kind, id, max(peak_memory_bytes) AS peak FROM usage
                      WHERE period = 'hour' AND start > statement_timestamp() - INTERVAL '2 hours' GROUP BY kind, id) h
                  ON h.kind = t.kind AND h.id = t.id
           ORDER BY t.kind, t.ref"#,
        limit
    )
    .fetch_all(pool)
    .await
}

/// How many there are of something.
#[derive(Debug, Clone)]
pub struct Count {
    /// `sensor`, `worker` or `execution`.
    pub noun: String,
    /// A worker's role.
    pub role: Option<String>,
    /// Of this status.
    pub status: String,
    /// So many.
    pub count: i64,
}

/// Sensors and workers by status, as far as there are any, and executions that have not ended.
pub async fn list_counts(pool: &PgPool) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"SELECT 'sensor' AS "noun!", NULL AS role, status AS "status!", count(*) AS "count!" FROM sensor_state GROUP BY status
           UNION ALL
           SELECT 'worker', worker_role::text, status::text, count(*) FROM worker WHERE status IS NOT NULL
           GROUP BY worker_role, status
           UNION ALL
           SELECT 'execution', NULL, 'requested',
                  (SELECT count(*) FROM execution WHERE status = 'requested' AND turn IS NOT FALSE)
                  + (SELECT count(*) FROM execution WHERE status = 'requested' AND turn IS FALSE)
           UNION ALL
           SELECT 'execution', NULL, 'running', count(*) FROM execution WHERE status = 'running'"#
    )
    .fetch_all(pool)
    .await
}
