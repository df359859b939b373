//! How the schema of a database stands to the one that this program was built with. Only looks.

use std::collections::HashMap;

use sqlx::PgPool;
use sqlx::migrate::{AppliedMigration, Migrate as _, MigrateError};

use crate::db::MIGRATOR;

/// The differences; none means that the schema is this program's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What this program has and the database lacks: `version description`.
    pub pending: Vec<String>,
    /// Versions that the database has and this program does not know.
    pub unknown: Vec<i64>,
    /// Versions that were applied with another text than this program has.
    pub changed: Vec<i64>,
    /// A version that began and never ended.
    pub unfinished: Option<i64>,
}

/// Compares the migrations that were applied with the embedded ones.
pub async fn compare(pool: &PgPool) -> Result<Differences, MigrateError> {
    let mut connection = pool.acquire().await?;
    let table = &MIGRATOR.table_name;
    let applied = match connection.list_applied_migrations(table).await {
        Err(error) if is_missing_table(&error) => return Ok(differences(&[], None)),
        outcome => outcome?,
    };
    let unfinished = connection.dirty_version(table).await?;
    Ok(differences(&applied, unfinished))
}

fn differences(applied: &[AppliedMigration], unfinished: Option<i64>) -> Differences {
    let applied: HashMap<_, _> = applied.iter().map(|one| (one.version, &one.checksum)).collect();
    let mut differences = Differences { unfinished, ..Differences::default() };
    for own in MIGRATOR.iter() {
        match applied.get(&own.version) {
            None => differences.pending.push(format!("{} {}", own.version, own.description)),
            Some(checksum) if **checksum != own.checksum => differences.changed.push(own.version),
            Some(_) => {}
        }
    }
    differences.unknown.extend(applied.keys().filter(|version| !MIGRATOR.version_exists(**version)));
    differences.unknown.sort_unstable();
    differences
}

/// A database that nobody migrated has no list of migrations.
fn is_missing_table(error: &MigrateError) -> bool {
    let MigrateError::Execute(sqlx::Error::Database(error)) = error else { return false };
    error.code().is_some_and(|code| code == "42P01")
}
