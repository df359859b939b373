//! Table `usage`: what sensors and actions take.
//!
//! Who runs them adds what was used since the last time, in one statement for all, by key and in the order of the key, so that
//! several services add to the same action side by side. A trigger removes the rows of who is deleted. Rows of an hour and of
//! five minutes are what rolling figures are made of; they go when nobody looks back so far.

use std::time::Duration;

use attune_core::usage::Figures;
use sqlx::PgPool;

/// How many seconds the rolling figures of an hour look back: the five minutes that are not over are beside a whole hour.
const MINUTES: f64 = 3900.0;
/// The same of a day.
const HOURS: f64 = 90_000.0;

/// Whose figures they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sensor's.
    Sensor,
    /// An action's.
    Action,
}

impl Kind {
    /// As the column has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::Action => "action",
        }
    }
}

/// Figures to add, one entry for each sensor or action, as columns.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct Columns {
    pub id: Vec<i64>,
    pub runs: Vec<i64>,
    pub failed: Vec<i64>,
    pub timed_out: Vec<i64>,
    pub stopped: Vec<i64>,
    pub metered: Vec<i64>,
    pub cpu_us: Vec<i64>,
    pub wall_us: Vec<i64>,
    pub longest_us: Vec<i64>,
    pub output_bytes: Vec<i64>,
    pub events: Vec<i64>,
    pub peak_memory_bytes: Vec<i64>,
}

impl Columns {
    /// Adds an entry.
    pub fn push(&mut self, id: i64, figures: &Figures) {
        self.id.push(id);
        self.runs.push(count(figures.runs));
        self.failed.push(count(figures.failed));
        self.timed_out.push(count(figures.timed_out));
        self.stopped.push(count(figures.stopped));
        self.metered.push(count(figures.metered));
        self.cpu_us.push(micros(figures.cpu));
        self.wall_us.push(micros(figures.wall));
        self.longest_us.push(micros(figures.longest));
        self.output_bytes.push(count(figures.output));
        self.events.push(count(figures.events));
        self.peak_memory_bytes.push(count(figures.peak_memory));
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Adds what was used. Each id once; who was deleted meanwhile is left out.
pub async fn add(pool: &PgPool, kind: Kind, used: &Columns) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO usage AS u (kind, id, period, start, runs, failed, timed_out, stopped, metered, cpu_us, wall_us,
                                   longest_us, output_bytes, events, peak_memory_bytes)
           SELECT $1, n.id, p.period, p.start, n.runs, n.failed, n.timed_out, n.stopped, n.metered, n.cpu_us, n.wall_us,
                  n.longest_us, n.output_bytes, n.events, n.peak_memory_bytes
           FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                       $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
                AS n (id, runs, failed, timed_out, stopped, metered, cpu_us, wall_us, longest_us, output_bytes, events,
                      peak_memory_bytes)
           CROSS JOIN (VALUES ('ever', '-infinity'::timestamptz),
                              ('hour', date_bin('1 hour', statement_timestamp(), 'epoch')),
                              ('5min', date_bin('5 minutes', statement_timestamp(), 'epoch'))) AS p (period, start)
           WHERE CASE $1 WHEN 'sensor' THEN EXISTS (SELECT FROM sensor s WHERE s.id = n.id)
                         ELSE EXISTS (SELECT FROM action a WHERE a.id = n.id) END
           ORDER BY n.id, p.period, p.start
           ON CONFLICT (kind, id, period, start) DO UPDATE
           SET runs = u.runs + EXCLUDED.runs, failed = u.failed + EXCLUDED.failed,
               timed_out = u.timed_out + EXCLUDED.timed_out, stopped = u.stopped + EXCLUDED.stopped,
               metered = u.metered + EXCLUDED.metered, cpu_us = u.cpu_us + EXCLUDED.cpu_us,
               wall_us = u.wall_us + EXCLUDED.wall_us, longest_us = GREATEST(u.longest_us, EXCLUDED.longest_us),
               output_bytes = u.output_bytes + EXCLUDED.output_bytes, events = u.events + EXCLUDED.events,
               peak_memory_bytes = GREATEST(u.peak_memory_bytes, EXCLUDED.peak_memory_bytes)"#,
        kind.as_str(),
        &used.id,
        &used.runs,
        &used.failed,
        &used.timed_out,
        &used.stopped,
        &used.metered,
        &used.cpu_us,
        &used.wall_us,
        &used.longest_us,
        &used.output_bytes,
        &used.events,
        &used.peak_memory_bytes
    )
    .execute(pool)
    .await
    .map(drop)
}

/// What one sensor or action, or the periods of one together, took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct Used {
    pub runs: i64,
    pub failed: i64,
    pub timed_out: i64,
    pub stopped: i64,
    pub metered: i64,
    pub cpu_us: i64,
    pub wall_us: i64,
    pub longest_us: i64,
    pub output_bytes: i64,
    pub events: i64,
    pub peak_memory_bytes: i64,
}

/// The last hour: these five minutes and the twelve times five before.
pub async fn last_hour(pool: &PgPool, kind: Kind, id: i64) -> sqlx::Result<Used> {
    since(pool, kind, id, "5min", MINUTES).await
}

/// The last day: this hour and the 24 before.
pub async fn last_day(pool: &PgPool, kind: Kind, id: i64) -> sqlx::Result<Used> {
    since(pool, kind, id, "hour", HOURS).await
}

async fn since(pool: &PgPool, kind: Kind, id: i64, period: &str, seconds: f64) -> sqlx::Result<Used> {
    sqlx::query_as!(
        Used,
        r#"SELECT COALESCE(sum(runs), 0)::bigint AS "runs!", COALESCE(sum(failed), 0)::bigint AS "failed!",
                  COALESCE(sum(timed_out), 0)::bigint AS "timed_out!", COALESCE(sum(stopped), 0)::bigint AS "stopped!",
                  COALESCE(sum(metered), 0)::bigint AS "metered!", COALESCE(sum(cpu_us), 0)::bigint AS "cpu_us!",
                  COALESCE(sum(wall_us), 0)::bigint AS "wall_us!", COALESCE(max(longest_us), 0) AS "longest_us!",
                  COALESCE(sum(output_bytes), 0)::bigint AS "output_bytes!", COALESCE(sum(events), 0)::bigint AS "events!",
                  COALESCE(max(peak_memory_bytes), 0) AS "peak_memory_bytes!"
           FROM usage
           WHERE kind = $1 AND id = $2 AND period = $3 AND start > statement_timestamp() - make_interval(secs => $4)"#,
        kind.as_str(),
        id,
        period,
        seconds
    )
    .fetch_one(pool)
    .await
}

/// Removes rows that no rolling figure is made of any more, up to `limit` of each period.
pub async fn delete_old(pool: &PgPool, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"DELETE FROM usage WHERE ctid = ANY(ARRAY(
               SELECT old.place FROM (VALUES ('5min', $1::float8), ('hour', $2::float8)) AS p (period, seconds)
               CROSS JOIN LATERAL (
                   SELECT u.ctid AS place FROM usage u
                   WHERE u.period = p.period AND u.start < statement_timestamp() - make_interval(secs => p.seconds)
                   ORDER BY u.start LIMIT $3 FOR UPDATE SKIP LOCKED) old))"#,
        MINUTES,
        HOURS,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
