//! Polls that somebody asked for: the answer to who waits for one.

use std::time::Duration;

use attune_common::repositories::poke::{self, Poke};
use serde_json::json;

use super::turn::{Tools, Turn};
use crate::generator::millis;

impl Tools {
    /// Says what came of a turn, if somebody asked for it: so many events, or an error. What the turn itself left behind is
    /// written before, so that whoever hears of it finds it. `false`: it could not be said, so another poll has to.
    pub(super) async fn answer(&self, turn: &Turn, came: Result<usize, &str>) -> bool {
        let Some(poke) = turn.poke else { return true };
        // Should that fail, the next flush does so a moment later.
        let _ = self.ticks.flush().await;
        let took = turn.started.elapsed();
        self.answer_poke(poke, came, took).await
    }

    /// A stream is not polled; it is started at once, if it waited for that, or sends a canary. Without an answer the wish
    /// comes again.
    pub(crate) async fn answer_stream(&self, poke: Poke, came: Result<Duration, &str>) -> bool {
        let took = came.unwrap_or_default();
        self.answer_poke(poke, came.map(|_| 0), took).await
    }

    async fn answer_poke(&self, poke: Poke, came: Result<usize, &str>, took: Duration) -> bool {
        let outcome =
            json!({"events": came.unwrap_or_default(), "took_ms": millis(took), "error": came.err()});
        let answered = poke::answer(&self.pool, poke, &outcome).await.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "Who wanted a sensor to tick now could not be answered");
        });
        answered.is_ok()
    }
}
