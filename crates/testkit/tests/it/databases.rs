//! Databases of one's own.

use std::process;
use std::time::{Duration, Instant};

use attune_testkit::{TestDb, cluster, migrate_rest};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

async fn count(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

/// Returns when `name` is in the list of databases, or is not.
async fn wait_until(name: &str, there: bool) {
    let mut admin = PgConnection::connect(cluster::url()).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(name)
            .fetch_one(&mut admin)
            .await
            .unwrap();
        if found == there {
            return;
        }
        assert!(Instant::now() < deadline, "{name}: there is {found}");
    }
}

async fn name_of(database: &TestDb) -> String {
    sqlx::query_scalar("SELECT current_database()::text").fetch_one(&database.pool).await.unwrap()
}

#[tokio::test]
async fn nobody_sees_anybody_else() {
    let (one, other) = tokio::join!(TestDb::migrated(), TestDb::migrated());
    sqlx::query("INSERT INTO pack (ref, name) VALUES ('mine', 'Mine')").execute(&one.pool).await.unwrap();
    let mine = "SELECT count(*) FROM pack WHERE ref = 'mine'";
    assert_eq!(count(&one.pool, mine).await, 1);
    assert_eq!(count(&other.pool, mine).await, 0);

    let by_url = PgPool::connect(&one.url).await.unwrap();
    assert_eq!(count(&by_url, mine).await, 1);
}

#[tokio::test]
async fn an_empty_one_is_empty() {
    let database = TestDb::empty().await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(count(&database.pool, tables).await, 0);
    migrate_rest(&database.pool).await;
    assert!(count(&database.pool, tables).await > 10);
}

#[tokio::test]
async fn history_can_be_stopped_halfway() {
    let database = TestDb::migrated_to(20_260_131_000_001).await;
    let newest = "SELECT max(version) FROM _sqlx_migrations";
    assert_eq!(count(&database.pool, newest).await, 20_260_131_000_001);
    migrate_rest(&database.pool).await;
    assert!(count(&database.pool, newest).await > 20_260_131_000_001);
}

#[tokio::test]
async fn a_database_goes_with_its_value() {
    let database = TestDb::empty().await;
    let name = name_of(&database).await;
    wait_until(&name, true).await;
    drop(database);
    wait_until(&name, false).await;
}

#[tokio::test]
async fn a_dead_process_leaves_nothing() {
    // The start time says that this pid once belonged to another.
    let left_behind = format!("attune_test_{}_1_0", process::id());
    let mut admin = PgConnection::connect(cluster::url()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {left_behind}"))).execute(&mut admin).await.unwrap();
    attune_testkit::sweep().await;
    wait_until(&left_behind, false).await;
}

/// Each migration notes when it ran: databases with the same instants are copies of one that was migrated once.
#[tokio::test]
async fn a_database_is_a_copy_and_not_migrated_anew() {
    let (one, other) = tokio::join!(TestDb::migrated(), TestDb::migrated());
    assert_eq!(migrated_at(&one.pool).await, migrated_at(&other.pool).await);
}

async fn migrated_at(pool: &PgPool) -> Vec<String> {
    let instants = "SELECT installed_on::text FROM _sqlx_migrations ORDER BY version";
    sqlx::query_scalar(instants).fetch_all(pool).await.unwrap()
}
