//! The database behind a running Attune, asked directly: what counts is what is stored.

use std::time::Duration;

use attune_testkit::TestDb;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::runtime::Runtime;

use crate::eventually::eventually;

pub(crate) struct Database {
    pub(crate) url: String,
    pool: PgPool,
    runtime: Runtime,
    _owned: Option<TestDb>,
}

impl Database {
    pub(crate) fn for_test(database: impl Future<Output = TestDb>) -> Self {
        let runtime = runtime();
        let owned = runtime.block_on(database);
        Self { url: owned.url.clone(), pool: owned.pool.clone(), runtime, _owned: Some(owned) }
    }

    pub(crate) fn at(url: &str) -> Self {
        let runtime = runtime();
        let pool = runtime.block_on(async {
            PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(Duration::from_secs(5))
                .connect_lazy(url)
                .unwrap()
        });
        Self { url: url.to_owned(), pool, runtime, _owned: None }
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.runtime.block_on(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.pool)).unwrap();
    }

    /// The rows of a query as objects; none while the database does not answer.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Value> {
        let sql = format!("SELECT to_jsonb(t) FROM ({sql}) AS t");
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.pool);
        match self.runtime.block_on(query) {
            Err(sqlx::Error::Database(error)) if !error.code().is_some_and(|code| code.starts_with("57")) => {
                panic!("{error}")
            }
            outcome => outcome.unwrap_or_default(),
        }
    }

    /// The one number of a query.
    pub(crate) fn number(&self, expression: &str) -> i64 {
        eventually(expression, || {
            self.rows(&format!("SELECT ({expression}) AS n")).first().map(|row| row["n"].as_i64().unwrap())
        })
    }

    /// Waits until a query has a row, and gives it.
    #[track_caller]
    pub(crate) fn eventually(&self, sql: &str) -> Value {
        eventually(sql, || self.rows(sql).into_iter().next())
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
