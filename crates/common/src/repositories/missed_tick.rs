//! What `sensor_state` says of ticks that polled sensors missed: left out, made up for, still owed.

use sqlx::PgPool;

/// What became of them since it was last written, one entry for each sensor, as columns.
#[derive(Debug, Default)]
pub struct MissedColumns {
    /// `sensor.id`.
    pub sensor: Vec<i64>,
    /// The fence.
    pub epoch: Vec<i64>,
    /// Left out.
    pub missed: Vec<i64>,
    /// Made up for.
    pub made_up: Vec<i64>,
    /// Polls that are still to come.
    pub owed: Vec<i32>,
}

/// Adds up what became of missed ticks. Rows with another epoch are left alone. Each row is looked up by its key and written
/// by its place, for the reason that is told beside the ticks.
pub async fn write(pool: &PgPool, columns: &MissedColumns) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH held AS MATERIALIZED (
               SELECT s.place, u.missed, u.made_up, u.owed
               FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[])
                     AS u (sensor, epoch, missed, made_up, owed) ORDER BY sensor) u
               CROSS JOIN LATERAL (
                   SELECT s.ctid AS place FROM sensor_state s
                   WHERE s.sensor = u.sensor AND s.epoch = u.epoch FOR UPDATE) s)
           UPDATE sensor_state s
           SET missed_ticks = s.missed_ticks + h.missed, made_up = s.made_up + h.made_up, owed = h.owed
           FROM held h WHERE s.ctid = h.place"#,
        &columns.sensor,
        &columns.epoch,
        &columns.missed,
        &columns.made_up,
        &columns.owed
    )
    .execute(pool)
    .await
    .map(drop)
}
