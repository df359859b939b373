//! `database`: where the facts are, and how long a statement may take.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use super::section::Section;

/// The section `database`.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseConfig {
    /// `url`: the database. `attune up` and `attune demo` bring their own without it.
    pub url: Option<DatabaseUrl>,
    /// `max_connections`: connections of one process.
    pub max_connections: u32,
    /// `statement_timeout`: after this `PostgreSQL` ends a statement.
    pub statement_timeout: Duration,
    /// `lock_timeout`: after this `PostgreSQL` ends a statement that waits for a lock.
    pub lock_timeout: Duration,
    /// `idle_in_transaction_timeout`: after this `PostgreSQL` ends a transaction that nobody goes on with.
    pub idle_in_transaction_timeout: Duration,
}

/// The address of a database. It may hold a password, so it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            url: section.read(
                "url",
                "the URL of a PostgreSQL database (postgresql://user@host/name)",
                |given| DatabaseUrl::parse(&given.text()?),
            ),
            max_connections: section.count("max_connections", 20),
            statement_timeout: section.seconds("statement_timeout", 30),
            lock_timeout: section.seconds("lock_timeout", 10),
            idle_in_transaction_timeout: section.seconds("idle_in_transaction_timeout", 10),
        }
    }
}

impl DatabaseUrl {
    /// The URL, unless `PostgreSQL`'s client could make nothing of it.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let scheme = url.starts_with("postgres://") || url.starts_with("postgresql://");
        (scheme && PgConnectOptions::from_str(url).is_ok()).then(|| Self(url.to_owned()))
    }

    /// The URL with the password that it may hold.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
