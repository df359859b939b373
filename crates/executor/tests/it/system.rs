//! Ingest on a database of its own.

use std::sync::Arc;
use std::time::Duration;

use attune_executor::ingest::{
    Clock, Ingest, IngestError, NewEvent, Origin, Receipt, Submission, WorkLimits,
};
use attune_executor::rules::RuleCache;
use attune_hints::Hints;
use attune_testkit::TestDb;
use chrono::Utc;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

use crate::pack::TestPack;

/// Long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct System {
    pub(crate) db: TestDb,
    pub(crate) ingest: Ingest,
}

impl System {
    /// A database with the demo pack.
    pub(crate) async fn with_demo() -> Self {
        Self::with(&TestPack::demo()).await
    }

    pub(crate) async fn with(pack: &TestPack) -> Self {
        Self::with_pack_and_clock(pack, Utc::now).await
    }

    /// A database with the demo pack, whose events are stamped by `clock`.
    pub(crate) async fn with_clock(clock: Clock) -> Self {
        Self::with_pack_and_clock(&TestPack::demo(), clock).await
    }

    async fn with_pack_and_clock(pack: &TestPack, clock: Clock) -> Self {
        Self::start(pack, WorkLimits::default(), clock).await
    }

    /// A database whose submissions may do so much.
    pub(crate) async fn within(work: WorkLimits, pack: &TestPack) -> Self {
        Self::start(pack, work, Utc::now).await
    }

    async fn start(pack: &TestPack, work: WorkLimits, clock: Clock) -> Self {
        let db = TestDb::migrated().await;
        pack.load(&db.pool).await;
        let rules = Arc::new(RuleCache::new(db.pool.clone()));
        let ingest = Ingest::start_within(work, db.pool.clone(), rules, Hints::default(), clock);
        Self { db, ingest }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    pub(crate) async fn post(&self, events: Vec<NewEvent>) -> Result<Receipt, IngestError> {
        self.ingest.submit(Submission { origin: Origin::Post { source: None }, events }, PATIENCE).await
    }

    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.value(&format!("SELECT to_jsonb(count(*)) FROM {sql}")).await.as_i64().unwrap()
    }

    /// Waits until another connection waits for a lock.
    pub(crate) async fn until_one_waits_for_a_lock(&self) {
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while self.count(waiting).await == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// The one JSON value of a query; null without a row.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        value(self.pool(), sql).await
    }
}

/// The one JSON value of a query; null without a row.
pub(crate) async fn value(pool: &PgPool, sql: &str) -> Value {
    let found: Option<Option<Value>> =
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_optional(pool).await.unwrap();
    found.flatten().unwrap_or_default()
}

/// An event of `demo.high`.
pub(crate) fn high(value: i64) -> NewEvent {
    NewEvent {
        trigger: "demo.high".to_owned(),
        payload: serde_json::json!({ "value": value }),
        trigger_params: None,
        key: None,
    }
}
