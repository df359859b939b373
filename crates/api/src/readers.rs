//! The database as readers see it: connections of their own, few, that cannot write and whose statements end in time.
//!
//! Ingest and everything else that writes never waits for a reader, since they share no connection. A crowd of readers waits
//! for its own places, each for a bounded time. Requests with the token have places that no crowd can take, and so has the
//! look-up of the tokens of runs.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::failure::{Failure, Kind};
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
    /// Places that lists may have.
    lists: Arc<Semaphore>,
}

/// A place. Its statements go one after the other.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) trust: Trust,
    statement: Duration,
    pool: PgPool,
    _places: Vec<OwnedSemaphorePermit>,
}

impl Readers {
    /// Places in the database of this pool; connections are made when they are needed.
    pub(crate) fn new(pool: &PgPool, limits: &Limits) -> Self {
        let share = |count, lists| Share {
            pool: connect(pool, count, limits),
            places: semaphore(count),
            lists: semaphore(lists),
        };
        let shares = Shares {
            // A list may rest in its place. It leaves one to those that want something short.
            anyone: share(limits.readers, limits.readers.saturating_sub(1).max(1)),
            run: share(limits.run_readers, limits.run_readers),
            token: share(limits.reserved_readers, limits.reserved_readers),
        };
        Self { shares, wait: limits.wait, statement: limits.statement }
    }

    /// Waits for a place, for a bounded time.
    pub(crate) async fn place(&self, trust: Trust) -> Result<Reader, Failure> {
        self.acquire(trust, &[&self.shares.of(trust).places]).await
    }

    /// The same for a list.
    pub(crate) async fn place_for_list(&self, trust: Trust) -> Result<Reader, Failure> {
        let Share { places, lists, .. } = self.shares.of(trust);
        self.acquire(trust, &[lists, places]).await
    }

    async fn acquire(&self, trust: Trust, of: &[&Arc<Semaphore>]) -> Result<Reader, Failure> {
        let all = async {
            let mut all = Vec::new();
            for places in of {
                all.push(Arc::clone(places).acquire_owned().await?);
            }
            Ok(all)
        };
        let places = tokio::time::timeout(self.wait, all).await.map_err(|_| self.crowded())?;
        let places = places.map_err(|closed: AcquireError| Failure::Bug(closed.into()))?;
        let pool = self.shares.of(trust).pool.clone();
        Ok(Reader { trust, statement: self.statement, pool, _places: places })
    }

    fn crowded(&self) -> Failure {
        Failure::Busy(format!(
            "too many requests are reading at once; none ended within {} s, so this one was not begun: name the token, or try again in a second",
            self.wait.as_secs()
        ))
    }
}

fn semaphore(places: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(usize::try_from(places).unwrap_or(Semaphore::MAX_PERMITS)))
}

/// Connections that cannot write and whose statements end, to the database of this pool.
pub(crate) fn connect(pool: &PgPool, connections: u32, limits: &Limits) -> PgPool {
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
        move |error| match Kind::of(&error) {
            Kind::TooSlow => Failure::too_slow(format!(
                "{what} took longer than {} s in the database; {narrower}",
                limit.as_secs_f32()
            )),
            Kind::Value(_) | Kind::Transient | Kind::Other => error.into(),
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
    async fn a_reader_cannot_write() {
        let db = TestDb::migrated().await;
        let readers = Readers::new(&db.pool, &Limits::default());
        for trust in [Trust::Anyone, Trust::Run, Trust::Token] {
            let reader = readers.place(trust).await.unwrap();
            let wrote = sqlx::query("UPDATE pack SET enabled = TRUE").execute(&*reader).await.unwrap_err();
            assert_eq!(
                wrote.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
                Some("25006")
            );
        }
    }
}
