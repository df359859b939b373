//! `database`: where the facts are, and how long a statement may take.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;

use super::section::Section;
use super::setting::Shown;

/// What the section is for.
pub(super) const ABOUT: &str = "Where the facts are, and how long a statement may take.";

/// The section `database`.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseConfig {
    /// `url`: the database. `attune up` and `attune demo` bring their own without it.
    pub url: Option<DatabaseUrl>,
    /// `max_connections`: connections of one process; those of the API's readers come on top.
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
    pub(super) fn read(keys: &mut Section<'_>) -> Self {
        Self {
            url: keys.read(
                "url",
                "the URL of a PostgreSQL database (postgresql://user@host/name)",
                "The database. `attune up` and `attune demo` bring a private one without it.",
                |given| DatabaseUrl::parse(&given.text()?),
            ),
            max_connections: keys.count(
                "max_connections",
                20,
                "Connections of one process; an API has at most 9 more, for readers.",
            ),
            statement_timeout: keys.seconds(
                "statement_timeout",
                30,
                "After this PostgreSQL ends a statement.",
            ),
            lock_timeout: keys.seconds(
                "lock_timeout",
                10,
                "After this PostgreSQL ends a statement that waits for a lock.",
            ),
            idle_in_transaction_timeout: keys.seconds(
                "idle_in_transaction_timeout",
                10,
                "After this PostgreSQL ends a transaction that nobody goes on with.",
            ),
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

    /// Host, port and name: where it is, and nothing that is secret.
    #[must_use]
    pub fn place(&self) -> String {
        let Ok(options) = PgConnectOptions::from_str(&self.0) else { return "***".to_owned() };
        let host = options
            .get_socket()
            .map_or_else(|| options.get_host().to_owned(), |directory| directory.display().to_string());
        format!("{host}:{}/{}", options.get_port(), options.get_database().unwrap_or_default())
    }

    /// The URL with the password that it may hold.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Shown for DatabaseUrl {
    fn shown(&self) -> Value {
        json!(format!("postgresql://***@{}", self.place()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
