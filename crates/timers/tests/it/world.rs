//! A database with rules on timers, and services that can be started and killed.

use std::sync::Arc;

use attune_executor::core_pack;
use attune_executor::ingest::Ingest;
use attune_executor::rules::RuleCache;
use attune_hints::Hints;
use attune_testkit::TestDb;
use attune_timers::Timers;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;

pub(crate) struct World {
    pub(crate) db: TestDb,
}

/// A timer service with rules of its own, as in a process of its own. Dropping it is a kill: it writes nothing more.
pub(crate) struct Service {
    timers: Timers,
    rules: Arc<RuleCache>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self { db: TestDb::migrated().await };
        core_pack::ensure_core_pack(&world.db.pool).await.unwrap();
        world
            .run(
                "INSERT INTO action (ref, runtime, runtime_ref, entrypoint)
                 SELECT 't.noop', id, ref, 'noop' FROM runtime WHERE ref = 'core.native'",
            )
            .await;
        // As if it had been installed before the times of the tests.
        world.run("UPDATE timer_progress SET done = '2026-01-01T00:00:00Z'").await;
        world
    }

    /// A rule by plain SQL.
    pub(crate) async fn rule(&self, name: &str, timer: &str, params: &Value) {
        self.run(&format!(
            "INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params)
             VALUES ('t.{name}', 'core.{timer}_timer', 't.noop', '{params}')"
        ))
        .await;
    }

    pub(crate) fn service(&self) -> Service {
        let rules = Arc::new(RuleCache::new(self.db.pool.clone()));
        let ingest = Ingest::start(self.db.pool.clone(), Arc::clone(&rules), Hints::default(), Utc::now);
        Service { timers: Timers::new(self.db.pool.clone(), ingest), rules }
    }

    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.db.pool).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {sql}");
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.db.pool).await.unwrap()
    }

    pub(crate) async fn value(&self, sql: &str) -> Value {
        let found: Option<Value> =
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&self.db.pool).await.unwrap();
        found.unwrap_or_default()
    }

    /// The instants of a rule's events in the order of time, as often as they are there, each with what was missed before.
    pub(crate) async fn fired(&self, rule: &str) -> Vec<(DateTime<Utc>, i64)> {
        sqlx::query_as(
            "SELECT (e.payload ->> 'scheduled')::timestamptz, (e.payload ->> 'missed')::bigint
             FROM enforcement f JOIN event e ON e.id = f.event WHERE f.rule_ref = 't.' || $1 ORDER BY 1",
        )
        .bind(rule)
        .fetch_all(&self.db.pool)
        .await
        .unwrap()
    }

    /// The same in seconds after `start`.
    pub(crate) async fn seconds(&self, rule: &str, start: DateTime<Utc>) -> Vec<(i64, i64)> {
        let fired = self.fired(rule).await;
        fired.into_iter().map(|(instant, missed)| ((instant - start).num_seconds(), missed)).collect()
    }
}

impl Service {
    /// One round; the next instant.
    pub(crate) async fn at(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.timers.round(now).await.unwrap()
    }

    pub(crate) async fn try_at(&mut self, now: DateTime<Utc>) -> bool {
        self.timers.round(now).await.is_ok()
    }

    /// Rounds from one time to another, as a task that never sleeps for longer than `step`.
    pub(crate) async fn until(&mut self, from: DateTime<Utc>, to: DateTime<Utc>, step: TimeDelta) {
        let mut now = from;
        while now <= to {
            self.at(now).await;
            now += step;
        }
    }

    /// Hears that the rules have changed.
    pub(crate) async fn hear(&self) {
        self.rules.renew(self.rules.current().version).await.unwrap();
    }

    /// Why a rule is out of force.
    pub(crate) fn fault(&self, rule: &str) -> Option<String> {
        self.rules.current().fault(rule).map(str::to_owned)
    }

    pub(crate) fn count(&self) -> usize {
        self.timers.count()
    }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

pub(crate) fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}
