//! The migrated database that test databases are clones of.

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{cluster, migrations};

/// Any number that nobody else uses; it orders the processes that find no template.
const LOCK: i64 = 0x6174_7475_6e65;

/// The name of the template, which exists when this returns.
pub(crate) async fn ensure(admin: &mut PgConnection) -> String {
    let name = format!("attune_template_{}", migrations::fingerprint());
    if !exists(admin, &name).await {
        sqlx::query("SELECT pg_advisory_lock($1)")
            .bind(LOCK)
            .execute(&mut *admin)
            .await
            .expect("the template's lock");
        if !exists(admin, &name).await {
            build(admin, &name).await;
        }
        sqlx::query("SELECT pg_advisory_unlock($1)")
            .bind(LOCK)
            .execute(admin)
            .await
            .expect("the template's lock");
    }
    name
}

async fn exists(admin: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(admin)
        .await
        .expect("the list of databases")
}

/// Migrates beside the template's place; the rename is the moment at which the template exists.
async fn build(admin: &mut PgConnection, name: &str) {
    let unfinished = format!("{name}_new");
    run(admin, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
    run(admin, format!("CREATE DATABASE {unfinished}")).await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(cluster::options(&unfinished))
        .await
        .expect("a connection to the template");
    migrations::migrate_rest(&pool).await;
    pool.close().await;
    run(admin, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
}

/// A connection for administration.
pub(crate) async fn admin() -> PgConnection {
    let options = cluster::admin_options();
    PgConnection::connect_with(&options).await.expect("a connection to the test cluster")
}

/// Runs a statement whose identifiers this crate made.
pub(crate) async fn run(admin: &mut PgConnection, statement: String) {
    if let Err(error) = admin.execute(AssertSqlSafe(statement.clone())).await {
        panic!("{statement}: {error}");
    }
}
