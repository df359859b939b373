//! A database with a pack of sensors, and sensor workers on it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use attune_boot::{OnError, OnStop, Supervisor};
use attune_common::config::{Config, DatabaseUrl, SensorConfig};
use attune_common::registration::LEASE;
use attune_executor::ingest::Ingest;
use attune_executor::rules::RuleCache;
use attune_hints::{Hints, Topic};
use attune_sensor::{SensorService, Surroundings};
use attune_testkit::TestDb;
use rustix::process::{Pid, Signal};
use serde_json::Value;
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::types::chrono::Utc;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Row as _};
use tempfile::TempDir;

use crate::pack;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// For tests that wait for the end of a lease, or for a renewal.
const SHORT_LEASE: Duration = Duration::from_secs(5);

pub(crate) struct Fixture {
    pub(crate) db: TestDb,
    pub(crate) hints: Hints,
    pub(crate) cache: TempDir,
    /// The lease of its workers.
    pub(crate) lease: Duration,
}

/// A sensor to be: its name in pack `demo`, its runtime, and its code.
pub(crate) type Draft<'a> = (&'a str, &'a str, &'a str);

impl Fixture {
    /// A database with nothing but the trigger `demo.seen`.
    pub(crate) async fn new() -> Self {
        let fixture = Self {
            db: TestDb::migrated().await,
            hints: Hints::default(),
            cache: TempDir::new().unwrap(),
            lease: LEASE,
        };
        fixture.execute("INSERT INTO pack (ref, name) VALUES ('demo', 'Demo')").await;
        fixture
            .execute("INSERT INTO trigger (ref, pack, pack_ref) SELECT 'demo.seen', id, ref FROM pack WHERE ref = 'demo'")
            .await;
        fixture
    }

    /// With sensors that are polled each 0.2 s.
    pub(crate) async fn with_sensors(drafts: &[Draft<'_>]) -> Self {
        let fixture = Self::new().await;
        fixture.add_sensors(drafts).await;
        fixture
    }

    /// With streams, all in the shell.
    pub(crate) async fn with_streams(streams: &[(&str, &str)]) -> Self {
        let drafts: Vec<_> = streams.iter().map(|(name, code)| (*name, "core.shell", *code)).collect();
        let fixture = Self::with_sensors(&drafts).await;
        fixture.execute("UPDATE sensor SET mode = 'stream'").await;
        fixture
    }

    /// The same with workers whose lease is short.
    pub(crate) fn with_short_lease(self) -> Self {
        Self { lease: SHORT_LEASE, ..self }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    pub(crate) async fn execute(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await.unwrap();
        self.hints.wake_here(Topic::Config);
    }

    pub(crate) async fn add_sensors(&self, drafts: &[Draft<'_>]) {
        let paths: Vec<_> = drafts.iter().map(|(name, _, code)| (format!("sensors/{name}"), *code)).collect();
        let files: Vec<_> = paths.iter().map(|(path, code)| (path.as_str(), *code)).collect();
        pack::store(self.pool(), "demo", &files).await;
        for (name, runtime, _) in drafts {
            self.execute(&format!(
                "WITH s AS (INSERT INTO sensor (ref, pack, pack_ref, runtime, runtime_ref, entrypoint, poll_interval)
                 SELECT 'demo.{name}', (SELECT id FROM pack WHERE ref = 'demo'), 'demo', id, ref, 'sensors/{name}', 0.2
                 FROM runtime WHERE ref = '{runtime}' RETURNING id)
                 INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, trigger.id FROM s, trigger WHERE ref = 'demo.seen'"
            ))
            .await;
        }
    }

    pub(crate) fn config(&self, name: &str) -> Config {
        let mut config = Config::default();
        config.database.url = DatabaseUrl::parse(&self.db.url);
        config.cache_dir = self.cache.path().into();
        config.lease = self.lease;
        config.runtime.environments_dir = self.cache.path().join("environments");
        config.sensor = config.sensor.map(|sensor| SensorConfig { worker_name: name.to_owned(), ..sensor });
        config
    }

    /// A sensor worker in this process with connections of its own, not started yet.
    pub(crate) fn service(&self, config: Config) -> SensorService {
        let options = self.pool().connect_options().as_ref().clone();
        let pool = PgPoolOptions::new().max_connections(4).connect_lazy_with(options);
        let (hints, supervisor) = (self.hints.clone(), Supervisor::default());
        let rules = Arc::new(RuleCache::new(pool.clone()));
        let ingest = Ingest::start(pool.clone(), Arc::clone(&rules), hints.clone(), Utc::now);
        let (stopping, listening) = (supervisor.stopping(), hints.clone());
        supervisor.spawn("rules", OnStop::Abort, OnError::Shutdown, async move {
            rules.keep_fresh(&listening, stopping).await;
            Ok::<_, attune_sensor::Error>(())
        });
        SensorService::with(Surroundings { pool, hints, ingest, supervisor }, config)
    }

    pub(crate) async fn start(&self) -> SensorService {
        self.start_as("s").await
    }

    pub(crate) async fn start_as(&self, name: &str) -> SensorService {
        let service = self.service(self.config(name));
        service.start().await.unwrap();
        service
    }

    /// A sensor worker as a program of its own.
    pub(crate) fn spawn(&self, name: &str, variables: &[(&str, &str)]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_attune-sensor"))
            .current_dir(self.cache.path())
            .env("DATABASE_URL", &self.db.url)
            .env("ATTUNE__CACHE_DIR", self.cache.path())
            .env("ATTUNE__LEASE", self.lease.as_secs().to_string())
            .env("ATTUNE__SENSOR__WORKER_NAME", name)
            .envs(variables.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Takes the database away from everybody, or gives it back.
    pub(crate) async fn allow_connections(&self, allowed: bool) {
        let mut admin = PgConnection::connect(attune_testkit::cluster::url()).await.unwrap();
        let name = self.pool().connect_options().get_database().unwrap().to_owned();
        let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
        sqlx::query(AssertSqlSafe(allow)).execute(&mut admin).await.unwrap();
        if !allowed {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
            sqlx::query(end).bind(name).execute(&mut admin).await.unwrap();
        }
    }

    /// Stops every server process of this database, as a machine that hangs would, or lets them go on.
    pub(crate) async fn freeze(&self, frozen: bool) {
        let mut admin = PgConnection::connect(attune_testkit::cluster::url()).await.unwrap();
        let name = self.pool().connect_options().get_database().unwrap().to_owned();
        let pids =
            sqlx::query_scalar::<_, i32>("SELECT pid FROM pg_stat_activity WHERE datname = $1").bind(name);
        for pid in pids.fetch_all(&mut admin).await.unwrap() {
            let signal = if frozen { Signal::STOP } else { Signal::CONT };
            rustix::process::kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        }
    }

    /// Waits until a sensor has this status.
    pub(crate) async fn status(&self, sensor: &str, status: &str) -> PgRow {
        self.eventually(&format!(
            "SELECT sensor_state.* FROM sensor_state JOIN sensor ON sensor.id = sensor_state.sensor
             WHERE ref = 'demo.{sensor}' AND status = '{status}'"
        ))
        .await
    }

    /// All that a sensor's events say under a key, in order.
    pub(crate) async fn seen(&self, sensor: &str, key: &str) -> Vec<Value> {
        let all =
            "SELECT payload -> $2 FROM event WHERE sensor_ref = 'demo.' || $1 AND payload ? $2 ORDER BY id";
        sqlx::query_scalar(all).bind(sensor).bind(key).fetch_all(self.pool()).await.unwrap()
    }

    /// Waits until the query has a row.
    pub(crate) async fn eventually(&self, query: &str) -> PgRow {
        let look = async {
            loop {
                let found =
                    sqlx::query(AssertSqlSafe(query.to_owned())).fetch_optional(self.pool()).await.unwrap();
                if let Some(row) = found {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let Ok(row) = tokio::time::timeout(PATIENCE, look).await else {
            panic!("never: {query}\n{}", self.states().await)
        };
        row
    }

    /// Waits for the first event of a sensor.
    pub(crate) async fn event_of(&self, sensor: &str) -> PgRow {
        self.eventually(&format!(
            "SELECT * FROM event WHERE sensor_ref = 'demo.{sensor}' ORDER BY id LIMIT 1"
        ))
        .await
    }

    /// Waits until a sensor fails with an error like this.
    pub(crate) async fn failing(&self, sensor: &str, pattern: &str) {
        let pattern = pattern.replace('\'', "''");
        self.eventually(&format!(
            "SELECT FROM sensor_state JOIN sensor ON sensor.id = sensor_state.sensor
             WHERE ref = 'demo.{sensor}' AND status = 'failing' AND next_try IS NOT NULL AND last_error LIKE '{pattern}'"
        ))
        .await;
    }

    async fn states(&self) -> String {
        let rows = sqlx::query("SELECT to_jsonb(s) FROM (SELECT ref, sensor_state.* FROM sensor_state JOIN sensor ON id = sensor) s")
            .fetch_all(self.pool())
            .await
            .unwrap();
        rows.iter().map(|row| row.get::<Value, _>(0).to_string()).collect::<Vec<_>>().join("\n")
    }
}
