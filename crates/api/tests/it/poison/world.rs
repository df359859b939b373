//! Healthy things and victims side by side, and one round of everything that reads them.

use std::sync::Arc;
use std::time::Duration;

use attune_common::registration::{Held, LEASE, WorkerRole};
use attune_common::repositories::execution::{self, Finishes};
use attune_common::repositories::sensor_watch::Round;
use attune_common::repositories::{event, pack, poke, runtime, scrape, sensor, sensor_state, worker};
use attune_executor::ingest::{Ingest, NewEvent, Origin, Submission};
use attune_executor::reconcile::{Notices, Watch};
use attune_executor::rules::RuleCache;
use attune_hints::Hints;
use attune_timers::Timers;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(30);

/// How many families of victims there are. Their names differ in one digit.
pub(super) const VICTIMS: usize = 10;
/// What happened to victims has ids from here on.
const FIRST: i64 = 1_000_000_000;

/// The healthy things are of the pack `demo`, which is loaded, the victims of `bad0` to `bad9`. Worker 1 is healthy.
const THINGS: &str = r#"
    CREATE TEMPORARY VIEW victim AS SELECT n, 'bad' || n AS bad FROM generate_series(0, 9) n;
    INSERT INTO worker (id, name, worker_type, worker_role, status, epoch, capabilities, last_heartbeat, lease_until)
        SELECT id, name, 'local', role::worker_role_enum, 'active', 1, '{"runtimes": ["shell"], "max_concurrent_sensors": 100}', NOW(), NOW() + INTERVAL '1 day'
        FROM (SELECT 1, 'demo', 'hybrid' UNION ALL SELECT 2 + n, bad, 'sensor' FROM victim) AS x (id, name, role);
    INSERT INTO pack (ref, name, version, config) SELECT bad, 'Bad', '1.0.0', '{"a": 1}' FROM victim;
    INSERT INTO runtime (ref, pack_ref, name, distributions, aliases) SELECT bad || '.lang', bad, 'Bad', '{}', ARRAY[bad] FROM victim;
    INSERT INTO trigger (ref, pack, pack_ref) SELECT ref || '.high', id, ref FROM pack JOIN victim ON bad = ref;
    INSERT INTO action (ref, pack, pack_ref, runtime_ref, entrypoint)
        SELECT p.ref || '.tell', p.id, p.ref, 'core.shell', 'x' FROM pack p JOIN victim v ON v.bad = p.ref;
    INSERT INTO rule (ref, pack, pack_ref, trigger_ref, action_ref, action_params, trigger_params)
        SELECT p.ref || x.name, p.id, p.ref, x.trigger, p.ref || '.tell', '{"team": "{{ pack.config }}"}', x.params
        FROM pack p JOIN victim v ON v.bad = p.ref, LATERAL (VALUES
            ('.tell_high', p.ref || '.high', '{}'::jsonb), ('.near', 'demo.high', '{}'),
            ('.tick', 'core.interval_timer', jsonb_build_object('minutes', 2 + n))) AS x (name, trigger, params);
    INSERT INTO rule (ref, trigger_ref, action_ref, action_params, trigger_params)
        VALUES ('demo.tick', 'core.interval_timer', 'demo.tell', '{"value": 1}', '{"minutes": 1}');
    INSERT INTO sensor (ref, pack, pack_ref, runtime_ref, entrypoint, poll_interval, expect)
        SELECT p.ref || '.cpu', p.id, p.ref, 'core.shell', 'x', 30, '{"event": "1h"}' FROM pack p WHERE p.ref = 'demo' OR p.ref LIKE 'bad_';
    INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, t.id FROM sensor s JOIN trigger t ON t.ref = s.pack_ref || '.high';
    INSERT INTO sensor_poke (sensor) SELECT id FROM sensor;
    INSERT INTO notice (trigger_ref, payload) SELECT 'demo.nowhere' || n, '{}' FROM victim;
    INSERT INTO event (id, trigger_ref, payload) SELECT 1000000000 + n, bad || '.high', '{}' FROM victim;
    INSERT INTO enforcement (id, event, rule, rule_ref, rule_revision, status)
        SELECT 1000000000 + n, 1000000000 + n, r.id, r.ref, 1, 'created' FROM victim JOIN rule r ON r.ref = bad || '.tell_high';
    INSERT INTO execution (id, enforcement, action, action_ref, runtime)
        SELECT 1000000000 + n, 1000000000 + n, a.id, a.ref, a.runtime FROM victim JOIN action a ON a.ref = bad || '.tell'"#;

/// The lists that a row of a table is seen in, each with a column and the value that a healthy neighbour has there.
const LISTS: [(&str, &str, &str); 11] = [
    ("pack", "ref", "demo"),
    ("runtime", "ref", "core.shell"),
    ("worker", "name", "demo"),
    ("trigger", "ref", "demo.high"),
    ("timer", "trigger_ref", "core.interval_timer"),
    ("sensor", "ref", "demo.cpu"),
    ("action", "ref", "demo.tell"),
    ("rule", "ref", "demo.tell_high"),
    ("event", "trigger_ref", "demo.high"),
    ("enforcement", "rule_ref", "demo.tell_high"),
    ("execution", "action_ref", "demo.tell"),
];

pub(super) struct World {
    pub(super) server: Server,
    ingest: Ingest,
    watch: Watch,
    notices: Notices,
    now: DateTime<Utc>,
}

impl World {
    pub(super) async fn new() -> Self {
        let server = Server::start().await;
        attune_executor::core_pack::ensure_core_pack(&server.db.pool).await.unwrap();
        server.run(THINGS).await;
        let (pool, hints) = (server.db.pool.clone(), Hints::default());
        let rules = Arc::new(RuleCache::new(pool.clone()));
        let ingest = Ingest::start(pool.clone(), rules, hints.clone(), Utc::now);
        let notices = Notices { pool: pool.clone(), hints: hints.clone(), ingest: ingest.clone() };
        let watch = Watch::new(pool, hints, "a test", LEASE);
        let mut world = Self { server, ingest, watch, notices, now: Utc::now() };
        world.round().await;
        world
    }

    /// How many rows a statement changed, or what the database said when it refused it.
    pub(super) async fn try_run(&self, sql: &str) -> Result<u64, String> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.server.db.pool).await;
        done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
    }

    pub(super) async fn texts(&self, sql: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&self.server.db.pool).await.unwrap()
    }

    /// Everything that reads what operators write, once. Healthy things are found healthy everywhere.
    pub(super) async fn round(&mut self) {
        self.ingest_goes_on().await;
        self.timers_fire().await;
        self.executions_are_claimed().await;
        self.sensors_are_assigned().await;
        self.watch.round(Round { clock_jumped: false }, true).await.expect("the watch goes on");
        self.notices.round().await.expect("notices are told");
        self.workers_are_known().await;
        self.metrics_are_told().await;
    }

    async fn ingest_goes_on(&self) {
        let event = NewEvent {
            trigger: "demo.high".to_owned(),
            payload: json!({"value": 1}),
            trigger_params: None,
            key: None,
        };
        let submission = Submission { origin: Origin::Post { source: None }, events: vec![event] };
        let receipt = self.ingest.submit(submission, PATIENCE).await.expect("ingest goes on");
        assert!(receipt.enforcements[0] - receipt.failed[0] >= 1, "the neighbour fires: {receipt:?}");
        let book = self.ingest.rules().current();
        assert_eq!(book.fault("demo.tell_high"), None);
    }

    async fn timers_fire(&mut self) {
        let fired = "SELECT count(*)::text FROM enforcement WHERE rule_ref = 'demo.tick'";
        let before = self.texts(fired).await;
        // As after a start, so that everything is read.
        let mut timers = Timers::new(self.server.db.pool.clone(), self.ingest.clone());
        timers.round(self.now).await.expect("timers start");
        self.now += TimeDelta::seconds(60);
        timers.round(self.now).await.expect("timers go on");
        assert_ne!(self.texts(fired).await, before, "the timer of the neighbour fires");
    }

    /// Claims what there is and ends it.
    async fn executions_are_claimed(&self) {
        let pool = &self.server.db.pool;
        let runtimes: Vec<i64> = sqlx::query_scalar("SELECT id FROM runtime").fetch_all(pool).await.unwrap();
        let claimed = execution::claim(pool, HELD, &runtimes, 100).await.expect("work is claimed");
        let is_healthy = |it: &&execution::Claimed| it.action_ref == "demo.tell" && it.fault.is_none();
        assert!(claimed.iter().any(|it| is_healthy(&it)), "the neighbour's work is claimed");
        execution::next_due(pool, &runtimes).await.expect("what is due is known");
        let mut finishes = Finishes::default();
        for it in claimed.iter().filter(|it| it.id < FIRST) {
            finishes.execution.push(it.id);
            finishes.attempt.push(it.attempt);
            finishes.status.push("succeeded".to_owned());
            finishes.result.push(None);
            finishes.error.push(None);
            finishes.retry_in.push(None);
            finishes.log.push(Vec::new());
        }
        execution::finish(pool, HELD.worker, &finishes).await.expect("ends are recorded");
        let victims: Vec<_> =
            claimed.iter().filter(|it| it.id >= FIRST).map(|it| (it.id, it.attempt)).collect();
        execution::unclaim(pool, HELD, &victims).await.expect("work is given back");
    }

    /// What one round of an assigner reads and writes.
    async fn sensors_are_assigned(&self) {
        let pool = &self.server.db.pool;
        let (_, set) = sensor::load_sensor_set(pool, None).await.expect("sensors are read");
        let healthy = set.sensors.iter().find(|it| it.r#ref == "demo.cpu").expect("the neighbour is there");
        assert_eq!(healthy.fault, None);
        let workers = worker::live_sensor_workers(pool).await.expect("workers are read");
        assert!(workers.iter().any(|worker| worker.id == HELD.worker));
        let runtimes = runtime::list(pool).await.expect("runtimes are read");
        assert!(runtimes.iter().any(|runtime| runtime.r#ref == "core.shell"));
        pack::requirements(pool).await.expect("requirements are read");
        pack::digests(pool).await.expect("contents are known");
        let ids: Vec<i64> = set.sensors.iter().map(|sensor| sensor.id).collect();
        sensor_state::mark_unschedulable(pool, &[], &[]).await.expect("reasons are written");
        sensor_state::mark_stopped(pool).await.expect("what is disabled is marked");
        let owned = sensor_state::claim(pool, HELD, &ids, true).await.expect("sensors are claimed");
        assert!(owned.iter().any(|it| it.sensor == healthy.id), "the neighbour is claimed");
        poke::list_asked(pool, HELD).await.expect("wishes are read");
        let again = sensor_state::find_owned(pool, HELD, &ids).await.expect("what is owned is read");
        let (sensors, epochs): (Vec<_>, Vec<_>) = again.iter().map(|it| (it.sensor, it.epoch)).unzip();
        sensor_state::release(pool, &sensors, &epochs).await.expect("sensors are given back");
    }

    async fn workers_are_known(&self) {
        let pool = &self.server.db.pool;
        worker::list(pool).await.expect("workers are listed");
        worker::find_lost(pool).await.expect("lost workers are found");
        worker::mark_inactive(pool, Duration::from_secs(30)).await.expect("missed beats are counted");
        for name in victims("").chain(["demo".to_owned()]) {
            worker::find_namesake(pool, &name, WorkerRole::Sensor).await.expect("namesakes are found");
        }
    }

    async fn metrics_are_told(&self) {
        let pool = &self.server.db.pool;
        scrape::list_things(pool, 100).await.expect("figures are told");
        scrape::list_counts(pool).await.expect("counts are told");
        event::newest(pool).await.expect("the newest event is known");
        for trigger in victims(".high") {
            event::list_last(pool, &trigger, 10).await.expect("events are read for trials");
        }
    }

    /// The lists in which a table is seen answer, and hold the neighbours.
    pub(super) async fn lists_answer(&self, table: &str) {
        let nouns: &[&str] = match table {
            "sensor_trigger" | "sensor_state" | "sensor_poke" => &["sensor"],
            "worker" => &["worker", "sensor", "execution"],
            "action" => &["action", "rule", "execution"],
            "notice" => &[],
            table => &[table],
        };
        for (noun, column, healthy) in LISTS.iter().filter(|(noun, ..)| nouns.contains(noun)) {
            let rows = self.server.get(&format!("/api/{noun}s?limit=1000")).await.ok(200);
            let is_healthy = |row: &&Value| row[*column] == *healthy && row.get("unreadable").is_none();
            let rows = rows.as_array().unwrap();
            assert!(rows.iter().any(|row| is_healthy(&row)), "the list of {noun}s holds the neighbour");
        }
    }
}

/// The victims of one kind, which is told by how their names end.
fn victims(ending: &str) -> impl Iterator<Item = String> {
    (0..VICTIMS).map(move |n| format!("bad{n}{ending}"))
}

/// The healthy worker.
const HELD: Held = Held { worker: 1, epoch: 1 };
