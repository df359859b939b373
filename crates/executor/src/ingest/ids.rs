//! Event ids before the event: taken from the sequence in blocks, so that conditions and templates see the id that the row
//! will have. An unused rest is a gap in the sequence, nothing more.

use sqlx::PgPool;
use tokio::sync::Mutex;

use attune_common::repositories::event;

/// Ids fetched in one round trip.
const BLOCK: usize = 1000;

#[derive(Debug)]
pub(super) struct Ids {
    pool: PgPool,
    stock: Mutex<Vec<i64>>,
}

impl Ids {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, stock: Mutex::default() }
    }

    /// `count` ids, ascending.
    pub(super) async fn take(&self, count: usize) -> sqlx::Result<Vec<i64>> {
        let mut stock = self.stock.lock().await;
        if stock.len() < count {
            let missing = (count - stock.len()).max(BLOCK);
            let mut fresh = event::take_ids(&self.pool, i64::try_from(missing).unwrap_or(i64::MAX)).await?;
            // The stock is a stack with the smallest id on top.
            fresh.reverse();
            fresh.append(&mut stock);
            *stock = fresh;
        }
        let rest = stock.len() - count;
        let mut taken = stock.split_off(rest);
        taken.reverse();
        Ok(taken)
    }
}
