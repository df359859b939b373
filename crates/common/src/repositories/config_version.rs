//! Table `config_version`: one number that rises with every change of configuration, by whatever program.
//!
//! Each row of configuration carries the number in which it was last written. Whoever knows the configuration of one number
//! reads what carries a later one, and, after something was deleted, which rows are left.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, PgTransaction};

/// The channel on which each change is announced. A hint: the number is the truth.
pub const CHANNEL: &str = "attune_config";

/// Less than any number, so that every row was written after it.
const NEVER: i64 = -1;

/// The number now.
pub async fn get(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!("SELECT version FROM config_version").fetch_one(pool).await
}

/// Keeps everybody else from changing the configuration until the transaction ends. Taken before any other lock, as every
/// change by plain SQL does.
pub async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!("SELECT version FROM config_version FOR UPDATE").fetch_one(tx).await?;
    Ok(())
}

/// The configuration that somebody knows.
///
/// Numbers mean the same in one history only. A server that has been started since may have come back from a backup, or be
/// another one that took over without the last changes; what was known is then worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// `config_version.version`.
    pub version: i64,
    server_start: DateTime<Utc>,
}

/// What of one table is not as it was known.
#[derive(Debug, Default)]
pub struct Changed {
    written: HashSet<i64>,
    left: Option<HashSet<i64>>,
}

impl Changed {
    /// Whether this row is as it was known.
    pub fn keeps(&self, id: i64) -> bool {
        !self.written.contains(&id) && self.left.as_ref().is_none_or(|left| left.contains(&id))
    }
}

/// The configuration as it is now, in one snapshot of the database, to be compared with one that is known.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) tx: PgTransaction<'static>,
    pub(super) now: Known,
    /// What carries a later number was written since.
    pub(super) after: i64,
    has_deletes: bool,
}

impl Snapshot {
    pub(super) async fn take(pool: &PgPool, known: Option<Known>) -> sqlx::Result<Self> {
        let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let row = sqlx::query!(
            r#"SELECT version, last_delete, pg_postmaster_start_time() AS "server_start!" FROM config_version"#
        )
        .fetch_one(&mut *tx)
        .await?;
        let now = Known { version: row.version, server_start: row.server_start };
        let known = known.filter(|it| it.server_start == now.server_start && it.version <= now.version);
        let after = known.map_or(NEVER, |known| known.version);
        Ok(Self { tx, now, after, has_deletes: row.last_delete > after })
    }

    /// What of a table changed: these rows were written, and when some were deleted, `all` lists what is left.
    pub(super) async fn changed(
        &mut self,
        written: &[i64],
        all: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<Vec<i64>>,
    ) -> sqlx::Result<Changed> {
        let left = if self.has_deletes { Some(all(&mut self.tx).await?) } else { None };
        Ok(Changed { written: written.iter().copied().collect(), left: left.map(HashSet::from_iter) })
    }
}
