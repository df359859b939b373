//! One database for one test.

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{cluster, migrations, owner, reaper, template};

pub(crate) const PREFIX: &str = "attune_test";
/// Enough for a test that plays several processes; a cluster has 200 in all.
const MAX_CONNECTIONS: u32 = 8;

/// A database of its own; dropped, in the background, with this value.
#[derive(Debug)]
pub struct TestDb {
    /// A pool on the database.
    pub pool: PgPool,
    /// The database's URL, for programs and for pools of the test's own.
    pub url: String,
    name: String,
}

impl TestDb {
    /// A database with the whole schema.
    pub async fn migrated() -> Self {
        let mut admin = template::admin().await;
        let template = template::ensure(&mut admin).await;
        // Copying files costs a third of copying pages through the log, on a cluster that does not wait for its disk.
        Self::create(admin, &format!("TEMPLATE {template} STRATEGY file_copy")).await
    }

    /// A database with nothing in it.
    pub async fn empty() -> Self {
        Self::create(template::admin().await, "").await
    }

    /// A database with the schema as it was after the migration `version`; [`crate::migrate_rest`] does what follows.
    pub async fn migrated_to(version: i64) -> Self {
        let database = Self::empty().await;
        migrations::migrate_to(&database.pool, version).await;
        database
    }

    async fn create(mut admin: sqlx::PgConnection, clause: &str) -> Self {
        reaper::start();
        let name = owner::name(PREFIX);
        template::run(&mut admin, format!("CREATE DATABASE {name} {clause}")).await;
        let options = cluster::options(&name);
        let url = url_of(&name);
        let pool = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).connect_lazy_with(options);
        Self { pool, url, name }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        reaper::drop_database(&self.name);
    }
}

/// The cluster's URL with another database's name.
fn url_of(name: &str) -> String {
    replace_database(cluster::url(), name)
}

fn replace_database(url: &str, name: &str) -> String {
    let (address, parameters) =
        url.split_once('?').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let authority = address.find("://").map_or(0, |scheme| scheme + 3);
    let server = address[authority..].find('/').map_or(address, |slash| &address[..authority + slash]);
    match parameters {
        Some(parameters) => format!("{server}/{name}?{parameters}"),
        None => format!("{server}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_database_alone() {
        for (url, expected) in [
            ("postgresql:///attune?host=/tmp/x&user=attune", "postgresql:///t?host=/tmp/x&user=attune"),
            ("postgres://me:secret@db.example:5433/attune", "postgres://me:secret@db.example:5433/t"),
            ("postgres://db.example", "postgres://db.example/t"),
        ] {
            assert_eq!(replace_database(url, "t"), expected);
        }
    }
}
