//! The connection to PostgreSQL, the one truth of the system.
//!
//! Every session but the one that migrates carries time limits, so that a client that dies in the middle of a transaction, or
//! a lock that is never given back, costs seconds and not the night. Statements of hot paths are prepared once per connection
//! and planned generically: their arrays vary in length, and planning them again each time cost more than running them.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::config::DatabaseConfig;

/// The schema's history, embedded. `sqlx migrate run` on the same folder does the same.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// How long a caller waits for a free connection before the failure counts as transient.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// What can go wrong before there is a database to talk to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No address: only `attune up` and `attune demo` bring a database of their own.
    #[error(
        "no database: set DATABASE_URL (or database.url), or start everything with `attune up`, which brings its own"
    )]
    NoUrl,
    /// The address is not one. It may hold a password, so it is not repeated.
    #[error("the database URL cannot be read")]
    BadUrl(#[source] sqlx::Error),
    /// The server did not answer.
    #[error("cannot connect to the database")]
    Connect(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database")]
    Migrate(#[source] MigrateError),
}

/// Opens a pool on the configured database, named `program` in `pg_stat_activity`.
pub async fn connect(config: &DatabaseConfig, program: &str) -> Result<PgPool, Error> {
    let options = session_options(config, program)?;
    pool_options(config).connect_with(options).await.map_err(Error::Connect)
}

/// Opens one connection and closes it: unlike a pool, which tries again until its time is over, this says at once what is
/// wrong.
pub async fn reach(config: &DatabaseConfig, program: &str) -> Result<(), Error> {
    let options = session_options(config, program)?;
    let connection = PgConnection::connect_with(&options).await.map_err(Error::Connect)?;
    connection.close().await.map_err(Error::Connect)
}

/// Brings the schema up to date. Safe to run from several programs at once.
///
/// It has a connection of its own, without time limits. An index of a large table takes as long as it takes, and so does the
/// wait for another program that migrates; with the limits of a service every start would fail.
pub async fn migrate(pool: &PgPool) -> Result<(), Error> {
    let unlimited = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
    let options = pool.connect_options().as_ref().clone().options(unlimited.map(|name| (name, "0")));
    let mut connection = PgConnection::connect_with(&options).await.map_err(Error::Connect)?;
    MIGRATOR.run(&mut connection).await.map_err(Error::Migrate)?;
    connection.close().await.map_err(Error::Connect)
}

fn pool_options(config: &DatabaseConfig) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping per checkout would double the round trips of the hot path; a broken connection shows itself.
        .test_before_acquire(false)
}

fn session_options(config: &DatabaseConfig, program: &str) -> Result<PgConnectOptions, Error> {
    let url = config.url.as_ref().ok_or(Error::NoUrl)?;
    let options = PgConnectOptions::from_str(url.reveal()).map_err(Error::BadUrl)?;
    let millis = |limit: Duration| format!("{}ms", limit.as_millis());
    Ok(options.application_name(program).options([
        ("statement_timeout", millis(config.statement_timeout)),
        ("lock_timeout", millis(config.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(config.idle_in_transaction_timeout)),
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        // Plans are kept. One that was made while a table was empty would read all of it for ever.
        ("enable_seqscan", "off".to_owned()),
        ("jit", "off".to_owned()),
    ]))
}

/// Whether trying again later can help: the server is away, full, or chose this transaction as a victim.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// Classes 08 (connection), 40 (rolled back), 53 (out of resources), 57P (operator intervention), 55P03 (lock not available).
fn is_transient_code(code: &str) -> bool {
    ["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class)) || code == "55P03"
}

#[cfg(test)]
mod tests {
    use super::is_transient_code;

    #[test]
    fn a_server_that_goes_away_is_transient_and_a_broken_constraint_is_not() {
        for code in ["57P01", "57P03", "08006", "40P01", "53300", "55P03"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["23505", "42P01", "57014", "22P05"] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
