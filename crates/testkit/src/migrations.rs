//! The schema's history, and ways to stop in the middle of it.

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

/// Every migration there is.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Runs the migrations that `pool`'s database lacks.
pub async fn migrate_rest(pool: &PgPool) {
    MIGRATOR.run(pool).await.expect("the migrations run");
}

/// Runs the migrations up to and with `version`.
pub(crate) async fn migrate_to(pool: &PgPool, version: i64) {
    MIGRATOR.run_to(version, pool).await.expect("the migrations run");
}

/// A name for exactly these migrations.
pub(crate) fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATOR.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    hex::encode(&hash.finalize()[..8])
}
