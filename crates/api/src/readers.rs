//! The database as readers see it: connections of their own, few, that cannot write and whose statements end in time.
//!
//! Ingest and everything else that writes never waits for a reader, since they share no connection. A crowd of readers waits
//! for its own places, each for a bounded time, and those who name the token have places that no crowd can take.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;
use crate::limits::Limits;
use crate::state::Api;
use crate::trust::{Shares, Trust};

/// What `pg_stat_activity` calls them.
const NAME: &str = "attune-web";

/// The places of readers.
#[derive(Debug)]
pub(crate) struct Readers {
    shares: Shares<Share>,
    wait: Duration,
    statement: Duration,
}

/// As many connections as places: a statement whose reader went away keeps its connection until it ends, and holds up
/// readers of this share only.
#[derive(Debug)]
struct Share {
    pool: PgPool,
    places: Arc<Semaphore>,
}

/// A place. Its statements go one after the other.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) trust: Trust,
    statement: Duration,
    pool: PgPool,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// Places in the database of this pool; connections are made when they are needed.
    pub(crate) fn new(pool: &PgPool, limits: &Limits) -> Self {
        let share = |count| Share {
            pool: connect(pool, count, limits),
            places: Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(1))),
        };
        let shares = Shares { anyone: share(limits.readers), token: share(limits.reserved_readers) };
        Self { shares, wait: limits.wait, statement: limits.statement }
    }

    /// Waits for a place, for a bounded time.
    pub(crate) async fn place(&self, trust: Trust) -> Result<Reader, Failure> {
        let share = self.shares.of(trust);
        let place = tokio::time::timeout(self.wait, Arc::clone(&share.places).acquire_owned());
        let place = place.await.map_err(|_| self.crowded())?.map_err(|closed| Failure::Bug(closed.into()))?;
        Ok(Reader { trust, statement: self.statement, pool: share.pool.clone(), _place: place })
    }

    fn crowded(&self) -> Failure {
        Failure::Busy(format!(
            "too many requests are reading at once; none ended within {} s, so this one was not begun",
            self.wait.as_secs()
        ))
    }
}

fn connect(pool: &PgPool, connections: u32, limits: &Limits) -> PgPool {
    let options = pool.connect_options().as_ref().clone().application_name(NAME).options([
        ("statement_timeout", format!("{}ms", limits.statement.as_millis())),
        ("default_transaction_read_only", "on".to_owned()),
    ]);
    // Readers may be rare: a connection is tried first, or each would fail once after the database was away.
    PgPoolOptions::new().max_connections(connections).acquire_timeout(limits.wait).connect_lazy_with(options)
}

impl Reader {
    /// Says of a statement that ran out of time what it was for, and how to ask for less.
    pub(crate) fn failed(&self, what: &str, narrower: &str) -> impl FnOnce(sqlx::Error) -> Failure + use<> {
        let (what, narrower, limit) = (what.to_owned(), narrower.to_owned(), self.statement);
        move |error| match &error {
            sqlx::Error::Database(database) if database.code().as_deref() == Some("57014") => {
                let message =
                    format!("{what} took longer than {} s in the database; {narrower}", limit.as_secs_f32());
                Failure::Refused(StatusCode::GATEWAY_TIMEOUT, message)
            }
            _ => error.into(),
        }
    }
}

impl Deref for Reader {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pool
    }
}

impl FromRequestParts<Arc<Api>> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let Ok(trust) = Trust::from_request_parts(parts, api).await;
        api.readers.place(trust).await
    }
}

#[cfg(test)]
mod tests {
    use attune_testkit::TestDb;

    use super::*;

    #[tokio::test]
    async fn a_reader_can_not_write() {
        let db = TestDb::migrated().await;
        let readers = Readers::new(&db.pool, &Limits::default());
        for trust in [Trust::Anyone, Trust::Token] {
            let reader = readers.place(trust).await.unwrap();
            let wrote = sqlx::query("UPDATE pack SET enabled = TRUE").execute(&*reader).await.unwrap_err();
            assert_eq!(
                wrote.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
                Some("25006")
            );
        }
    }
}
