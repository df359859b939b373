//! Following events through the arrows while they happen.

use std::collections::{BTreeSet, HashMap};

use attune_common::repositories::journey::{self, Journey};
use sqlx::PgPool;

/// Reads what ended since the last look.
#[derive(Debug, Default)]
pub(super) struct Follower {
    /// Everything up to this execution has been told.
    mark: i64,
    /// Those beyond it that have been told too: they overtook one that still runs.
    told: BTreeSet<i64>,
    /// Succeeded journeys by sensor.
    pub(super) succeeded: HashMap<String, u64>,
    /// From the event to the start of its action, and the action itself, in milliseconds.
    pub(super) waits: Vec<f64>,
    pub(super) runs: Vec<f64>,
}

impl Follower {
    /// The journeys that ended since the last call, in the order of their executions.
    pub(super) async fn look(&mut self, pool: &PgPool) -> sqlx::Result<Vec<Journey>> {
        let seen = journey::list_after(pool, self.mark).await?;
        let mut is_whole = true;
        let mut news = Vec::new();
        for journey in seen {
            is_whole &= journey.finished.is_some();
            if journey.finished.is_some() && !self.told.remove(&journey.execution) {
                self.note(&journey);
                news.push(journey.clone());
            }
            if is_whole {
                self.mark = journey.execution;
            } else if journey.finished.is_some() {
                self.told.insert(journey.execution);
            }
        }
        Ok(news)
    }

    fn note(&mut self, journey: &Journey) {
        if journey.status == "succeeded"
            && let Some(sensor) = &journey.sensor
        {
            *self.succeeded.entry(sensor.clone()).or_default() += 1;
        }
        if let (Some(started), Some(finished)) = (journey.started, journey.finished) {
            self.waits.push(milliseconds(started - journey.created));
            self.runs.push(milliseconds(finished - started));
        }
    }
}

fn milliseconds(delta: chrono::TimeDelta) -> f64 {
    delta.as_seconds_f64() * 1000.0
}
