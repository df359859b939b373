//! Table `held`: what takes, brings or acts on no more events for now, because there were more in a minute than it may have.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// What can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A trigger, whose events are refused.
    Trigger,
    /// A sensor, whose events are set aside.
    Sensor,
    /// A rule, which fails.
    Rule,
}

impl Kind {
    /// As the column has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Sensor => "sensor",
            Self::Rule => "rule",
        }
    }
}

/// Notes what is held until when. What was held within the last minute has been so since then.
pub async fn put(
    pool: &PgPool,
    now: DateTime<Utc>,
    held: &[((Kind, i64), DateTime<Utc>)],
) -> sqlx::Result<()> {
    let kinds: Vec<_> = held.iter().map(|((kind, _), _)| kind.as_str().to_owned()).collect();
    let things: Vec<_> = held.iter().map(|((_, thing), _)| *thing).collect();
    let ends: Vec<_> = held.iter().map(|(_, until)| *until).collect();
    sqlx::query!(
        r#"INSERT INTO held (kind, thing, since, until)
           SELECT kind, thing, $4, until FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS h (kind, thing, until)
           ORDER BY kind, thing
           ON CONFLICT (kind, thing) DO UPDATE SET until = GREATEST(held.until, EXCLUDED.until),
               since = CASE WHEN held.until < EXCLUDED.since - INTERVAL '1 minute' THEN EXCLUDED.since ELSE held.since END"#,
        &kinds,
        &things,
        &ends,
        now
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Something that is held.
#[derive(Debug)]
pub struct Held {
    /// `trigger`, `sensor` or `rule`.
    pub kind: String,
    /// Its ref.
    pub r#ref: String,
    /// Events that it may have in a minute.
    pub max_per_minute: i32,
}

/// What is held now.
pub async fn list(pool: &PgPool) -> sqlx::Result<Vec<Held>> {
    sqlx::query_as!(
        Held,
        r#"SELECT h.kind, t.ref AS "ref!", t.max_per_minute AS "max_per_minute!"
           FROM held h JOIN (
               SELECT 'trigger' AS kind, id, ref, max_per_minute FROM trigger
               UNION ALL SELECT 'sensor', id, ref, max_per_minute FROM sensor
               UNION ALL SELECT 'rule', id, ref, max_per_minute FROM rule) AS t (kind, id, ref, max_per_minute)
               ON t.kind = h.kind AND t.id = h.thing AND t.max_per_minute IS NOT NULL
           WHERE h.until > clock_timestamp() ORDER BY h.kind, t.ref"#
    )
    .fetch_all(pool)
    .await
}

/// Forgets what was held more than a day ago.
pub async fn delete_old(pool: &PgPool) -> sqlx::Result<u64> {
    let done = sqlx::query!("DELETE FROM held WHERE until < clock_timestamp() - INTERVAL '1 day'");
    Ok(done.execute(pool).await?.rows_affected())
}
