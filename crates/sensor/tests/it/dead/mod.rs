//! Twelve ways of being dead while looking alive. Each sensor is sound at first; then it dies, and what is awaited is the event
//! `core.sensor_state` that rules act on, with its reason. How long that took is told by the clock of the database, and is
//! held against what is promised: two intervals and 30 seconds.

mod canary;
mod code;
mod machine;
mod service;
mod streams;

use std::path::PathBuf;
use std::sync::Arc;

use attune_executor::core_pack;
use attune_executor::ingest::Ingest;
use attune_executor::reconcile::{Notices, Watch};
use attune_executor::rules::RuleCache;
use attune_hints::Topic;
use attune_sensor::SensorService;
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Row as _};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Draft, Fixture};

/// What is promised beside two intervals.
const PROMISE: f64 = 30.0;
/// Seconds between the polls of a sensor here.
const INTERVAL: f64 = 0.2;

/// A database with the core pack, and another program than the sensor service: it keeps the watch, and makes events of notices.
struct Watched {
    fixture: Fixture,
    place: TempDir,
    /// It ends with the test.
    _tasks: JoinSet<()>,
}

impl Watched {
    async fn new() -> Self {
        let fixture = Fixture::new().await.with_short_lease();
        core_pack::ensure_core_pack(fixture.pool()).await.unwrap();
        let (pool, hints, never) = (fixture.pool().clone(), fixture.hints.clone(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(Watch::new(pool.clone(), hints.clone(), "a test", fixture.lease).run(never.clone()));
        let rules = Arc::new(RuleCache::new(pool.clone()));
        let ingest = Ingest::start(pool.clone(), rules, hints.clone(), Utc::now);
        tasks.spawn(async move { Notices { pool, hints, ingest }.run(never).await });
        Self { fixture, place: tempfile::tempdir().unwrap(), _tasks: tasks }
    }

    /// With one sensor `dies`, whose code finds the file `$DEAD` once it shall die; its time limit is a second.
    async fn with_sensor(runtime: &str, code: &str) -> Self {
        let watched = Self::new().await;
        let code = code.replace("$DEAD", &watched.dead().display().to_string());
        let drafts: [Draft<'_>; 1] = [("dies", runtime, &code)];
        watched.fixture.add_sensors(&drafts).await;
        watched.fixture.execute("UPDATE sensor SET timeout = 1").await;
        watched
    }

    fn dead(&self) -> PathBuf {
        self.place.path().join("dead")
    }

    async fn execute(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.fixture.pool()).await.unwrap();
        self.fixture.hints.wake_here(Topic::Config);
    }

    /// Starts the service, and waits until the sensor runs and had an event.
    async fn start(&self) -> SensorService {
        let service = self.fixture.start().await;
        self.is_sound().await;
        service
    }

    async fn is_sound(&self) {
        self.fixture.event_of("dies").await;
        self.fixture.status("dies", "running").await;
    }

    /// It dies now. Returns when that is.
    async fn die(&self) -> DateTime<Utc> {
        std::fs::write(self.dead(), "").unwrap();
        self.now().await
    }

    async fn now(&self) -> DateTime<Utc> {
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(self.fixture.pool()).await.unwrap()
    }

    /// Waits for the alarm that it is dead in this way, and for this reason, and holds it against the promise.
    #[expect(clippy::print_stdout, reason = "how long it took is what the test has to say")]
    async fn alarm(&self, way: &str, died: DateTime<Utc>, status: &str, reason: &str) {
        let reason = reason.replace('\'', "''");
        let row = self
            .fixture
            .eventually(&format!(
                "SELECT payload->>'reason' AS reason, EXTRACT(EPOCH FROM created - '{died}'::timestamptz)::float8 AS took FROM event
                 WHERE trigger_ref = 'core.sensor_state' AND source = 'attune' AND payload->>'sensor' = 'demo.dies'
                   AND payload->>'to' = '{status}' AND payload->>'reason' LIKE '{reason}' AND created >= '{died}' ORDER BY id LIMIT 1",
                died = died.to_rfc3339()
            ))
            .await;
        let (took, said): (f64, String) = (row.get("took"), row.get("reason"));
        let said = said.lines().next().unwrap_or_default();
        println!("{way}: {status} after {took:.1} s: {said}");
        assert!(took <= 2.0 * INTERVAL + PROMISE, "{way}: {took} s");
    }
}
