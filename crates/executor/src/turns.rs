//! Turns of actions that may run only so often at once (`max_concurrent`).
//!
//! Several executors may do this side by side: the actions are locked, so each counts what the other gave. A hint shortens
//! the wait for an end or for a new execution, but only while there is an action with a bound: without one this is one
//! look a second.

use std::time::Duration;

use attune_common::repositories::execution_turn::{self, Given};
use attune_hints::{Hints, Topic};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// The longest sleep between two rounds, and the shortest.
const PERIOD: Duration = Duration::from_secs(1);
const GATHER: Duration = Duration::from_millis(5);
/// Executions that one round cancels for one action.
const SKIPPED: i64 = 1_000;

/// Who gives turns.
#[derive(Debug, Clone)]
pub struct Turns {
    /// The database.
    pub pool: PgPool,
    /// Wakes this and the claims.
    pub hints: Hints,
}

impl Turns {
    /// Gives turns until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut waiter = self.hints.waiter(Topic::Execution);
        while !stop.is_cancelled() {
            waiter.arm();
            let is_bounded = self.look().await;
            let nap = async {
                if is_bounded {
                    tokio::time::sleep(GATHER).await;
                    waiter.wait(PERIOD).await;
                } else {
                    tokio::time::sleep(PERIOD).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = nap => {}
            }
        }
    }

    /// One round, and whether there is any action with a bound. A failure is for the next round.
    async fn look(&self) -> bool {
        let round = async {
            if self.round().await?.turns > 0 {
                self.hints.wake(Topic::Execution);
            }
            execution_turn::is_any_bounded(&self.pool).await
        };
        round.await.unwrap_or_else(|error: sqlx::Error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Turns of executions could not be given"
            );
            false
        })
    }

    /// Lets go what waits for a turn that is needed no more.
    async fn release(&self) -> sqlx::Result<u64> {
        match execution_turn::list_unbounded(&self.pool).await?.as_slice() {
            [] => Ok(0),
            actions => execution_turn::release(&self.pool, actions).await,
        }
    }

    /// Gives the turns that are free now.
    pub async fn round(&self) -> sqlx::Result<Given> {
        let released = self.release().await?;
        let mut tx = self.pool.begin().await?;
        let actions = execution_turn::lock_actions(&mut tx).await?;
        if actions.is_empty() {
            return Ok(Given { turns: released, skipped: 0 });
        }
        let turns = execution_turn::give(&mut tx, &actions).await?;
        let skipped = execution_turn::skip(&mut tx, &actions, SKIPPED).await?;
        tx.commit().await?;
        Ok(Given { turns: turns + released, skipped })
    }
}
