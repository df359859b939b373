//! Table `sensor_poke`: who wants a sensor to tick now, and what came of it.
//!
//! A wish is a number that rises, an answer the number that a poll has answered, written by the sensor's owner under the fence.
//! So a wish outlives the owner, and many of them are one poll.

use serde_json::Value;
use sqlx::PgPool;

use crate::registration::Held;

/// The channel on which the database says that there are new wishes.
pub const CHANNEL: &str = "attune_poke";

/// A sensor that somebody wants to tick now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poke {
    /// `sensor.id`.
    pub sensor: i64,
    /// The fence.
    pub epoch: i64,
    /// The wish; a poll that begins now answers it and all before it.
    pub asked: i64,
    /// Whether it is to send a canary.
    pub canary: bool,
}

/// Wishes for a tick, and perhaps a canary with it. Returns the number of the wish.
pub async fn ask(pool: &PgPool, sensor: i64, canary: bool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "INSERT INTO sensor_poke AS p (sensor, canary) VALUES ($1, $2)
         ON CONFLICT (sensor) DO UPDATE SET asked = p.asked + 1, canary = p.canary OR $2, asked_at = clock_timestamp() RETURNING asked",
        sensor,
        canary
    )
    .fetch_one(pool)
    .await
}

/// The sensors of the caller that somebody wants to tick now.
pub async fn list_asked(pool: &PgPool, held: Held) -> sqlx::Result<Vec<Poke>> {
    sqlx::query_as!(
        Poke,
        "SELECT p.sensor, s.epoch, p.asked, p.canary FROM sensor_poke p
         JOIN sensor_state s ON s.sensor = p.sensor JOIN worker w ON w.id = s.worker
         WHERE p.asked > p.answered AND w.id = $1 AND w.epoch = $2",
        held.worker,
        held.epoch
    )
    .fetch_all(pool)
    .await
}

/// Answers a wish and all before it, under the fence.
pub async fn answer(pool: &PgPool, poke: Poke, outcome: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE sensor_poke p SET answered = $3, outcome = $4, canary = p.canary AND p.asked > $3, answered_at = clock_timestamp()
         FROM sensor_state s WHERE p.sensor = $1 AND s.sensor = $1 AND s.epoch = $2 AND p.answered < $3",
        poke.sensor,
        poke.epoch,
        poke.asked,
        outcome
    )
    .execute(pool)
    .await
    .map(drop)
}
