//! Turns of actions that may run only so often at once (`max_concurrent`).
//!
//! Several executors may do this side by side: the actions are locked, so each counts what the other gave. A hint says that
//! an execution waits or that one gave up its turn; what belongs to no bounded action sends none, so it costs nothing that
//! others run. Each second everything is looked at: also executions whose action got or lost its bound. Without any bound that
//! look is all.

use std::time::Duration;

use attune_common::repositories::execution_turn::{self, Given, NewlyBounded};
use attune_hints::{Hints, Topic};
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest sleep between two rounds, and the shortest.
const PERIOD: Duration = Duration::from_secs(1);
const GATHER: Duration = Duration::from_millis(5);
/// Executions that one statement changes, of one action where it skips: few enough that nothing waits for it for long.
const BATCH: i64 = 1_000;
/// Executions that are listed at once, to be changed in batches.
const LISTED: i64 = 100_000;

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
        let mut waiter = self.hints.waiter(Topic::Turn);
        let mut next_look = Instant::now();
        while !stop.is_cancelled() {
            waiter.arm();
            let is_due = next_look <= Instant::now();
            if is_due {
                next_look = Instant::now() + PERIOD;
            }
            self.go(is_due).await;
            let nap = async {
                tokio::time::sleep(GATHER).await;
                waiter.wait(next_look.saturating_duration_since(Instant::now())).await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = nap => {}
            }
        }
    }

    /// Looks at everything, or gives turns only. A failure is for the next time.
    async fn go(&self, everything: bool) {
        let given = if everything { self.round().await } else { self.give().await };
        match given {
            Ok(given) => self.announce(given),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Turns of executions could not be given"
            ),
        }
    }

    fn announce(&self, given: Given) {
        if given.turns > 0 {
            self.hints.wake(Topic::Execution);
        }
        // There may be more to skip.
        if given.skipped >= BATCH.unsigned_abs() {
            self.hints.wake_here(Topic::Turn);
        }
    }

    /// Takes along the executions of actions that got or lost a bound, and gives the turns that are free now.
    pub async fn round(&self) -> sqlx::Result<Given> {
        let todo = execution_turn::find_todo(&self.pool).await?;
        let released = self.release(&todo.unbounded).await?;
        if todo.is_any_new {
            for newly in execution_turn::list_newly_bounded(&self.pool).await? {
                self.count_in(newly).await?;
            }
        }
        let mut given = if todo.is_any_bounded { self.give().await? } else { Given::default() };
        given.turns += released;
        Ok(given)
    }

    /// Lets go what waits for a turn that is needed no more.
    async fn release(&self, unbounded: &[i64]) -> sqlx::Result<u64> {
        let mut released = 0;
        while !unbounded.is_empty() {
            let some = execution_turn::release(&self.pool, unbounded, BATCH).await?;
            released += some;
            if some < BATCH.unsigned_abs() {
                break;
            }
            self.hints.wake(Topic::Execution);
        }
        Ok(released)
    }

    /// Lets what was born without a turn count, or wait for one.
    async fn count_in(&self, newly: NewlyBounded) -> sqlx::Result<()> {
        loop {
            let listed = execution_turn::list_uncounted(&self.pool, newly.action, LISTED).await?;
            let mut counted = 0;
            for some in listed.chunks(usize::try_from(BATCH).unwrap_or(1)) {
                counted += execution_turn::count_in(&self.pool, newly.action, some).await?;
            }
            // Nothing is counted when the action lost its bound again.
            if counted == 0 || listed.len() < usize::try_from(LISTED).unwrap_or_default() {
                return execution_turn::forget_newly_bounded(&self.pool, newly).await;
            }
        }
    }

    /// Gives the turns that are free now.
    async fn give(&self) -> sqlx::Result<Given> {
        let mut tx = self.pool.begin().await?;
        let held = execution_turn::lock_actions(&mut tx).await?;
        if held.is_empty() {
            return Ok(Given::default());
        }
        let actions: Vec<_> = held.iter().map(|it| it.action).collect();
        let skipping: Vec<_> = held.iter().filter(|it| it.skips).map(|it| it.action).collect();
        let turns = execution_turn::give(&mut tx, &actions).await?;
        let skipped =
            if skipping.is_empty() { 0 } else { execution_turn::skip(&mut tx, &skipping, BATCH).await? };
        tx.commit().await?;
        Ok(Given { turns, skipped })
    }
}
