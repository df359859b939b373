//! Event ids before the event: taken from the sequence in blocks, so that conditions and templates see the id that the row
//! will have. An unused rest is a gap in the sequence, nothing more.
//!
//! Ids tell the order of events to who lists, pages and removes them, so a process that was idle must not go on with ids
//! that others overtook: a stock is used while it is fresh. Its size follows the demand, so that quiet systems count 1, 2, 3.

use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use attune_common::repositories::event;

/// At most so many ids are fetched beyond those that are asked for.
const BLOCK: usize = 1000;
/// How long a stock may be used.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Ids {
    pool: PgPool,
    stock: Mutex<Stock>,
}

#[derive(Debug)]
struct Stock {
    /// A stack with the smallest id on top.
    ids: Vec<i64>,
    fetched: Instant,
    /// How many were fetched.
    size: usize,
}

impl Ids {
    pub(super) fn new(pool: PgPool) -> Self {
        let stock = Stock { ids: Vec::new(), fetched: Instant::now(), size: 0 };
        Self { pool, stock: Mutex::new(stock) }
    }

    /// `count` ids, ascending.
    pub(super) async fn take(&self, count: usize) -> sqlx::Result<Vec<i64>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut stock = self.stock.lock().await;
        let is_fresh = stock.fetched.elapsed() < FRESH;
        if !is_fresh || stock.ids.len() < count {
            // Used up in time: the next stock is twice as large.
            let spare = if is_fresh { (2 * stock.size).min(BLOCK) } else { 0 };
            let size = count.max(spare);
            let mut ids = event::take_ids(&self.pool, i64::try_from(size).unwrap_or(i64::MAX)).await?;
            ids.reverse();
            *stock = Stock { ids, fetched: Instant::now(), size };
        }
        let rest = stock.ids.len() - count;
        let mut taken = stock.ids.split_off(rest);
        taken.reverse();
        Ok(taken)
    }
}
