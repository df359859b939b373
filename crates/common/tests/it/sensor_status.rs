//! The statements that write a sensor's status, and the triggers beside them, held against the table of attune-core: each
//! statement in each status.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::time::Duration;

use attune_common::registration::Held;
use attune_common::repositories::event::{self, Batch, EventColumns, SensorColumns};
use attune_common::repositories::sensor_state::{self, Failed, TickColumns};
use attune_core::sensor_status::{Event, State, Status, next};
use attune_testkit::TestDb;
use serde_json::{Value, json};
use sqlx::types::chrono::Utc;
use sqlx::{PgPool, Row as _};

const BEFORE: &str = "before";
const WHY: &str = "because";
const EPOCH: i64 = 3;

/// One sensor with its trigger, and a worker whose lease is live.
struct World {
    db: TestDb,
    sensor: i64,
    trigger: i64,
    held: Held,
}

impl World {
    async fn new() -> Self {
        let db = TestDb::migrated().await;
        let id = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&db.pool);
        let sensor =
            id("INSERT INTO sensor (ref, entrypoint) VALUES ('demo.s', 's.sh') RETURNING id").await.unwrap();
        let trigger = id("INSERT INTO trigger (ref) VALUES ('demo.t') RETURNING id").await.unwrap();
        let worker = id("INSERT INTO worker (name, worker_type, worker_role, status, epoch, lease_until)
             VALUES ('w', 'local', 'sensor', 'active', 1, clock_timestamp() + INTERVAL '1 hour') RETURNING id").await.unwrap();
        Self { db, sensor, trigger, held: Held { worker, epoch: 1 } }
    }

    fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self.pool()).await.unwrap();
    }

    /// The sensor has this status; somebody owns it or nobody does.
    async fn put(&self, status: Status, owned: bool) {
        self.execute("DELETE FROM sensor_state; UPDATE sensor SET enabled = TRUE").await;
        sqlx::query(
            "INSERT INTO sensor_state (sensor, worker, epoch, status, paused, reason, last_error, since, run_since)
             VALUES ($1, $2, $3, $4, $4 = 'paused', $5, $5, '2020-01-01', '2020-01-01')",
        )
        .bind(self.sensor)
        .bind(owned.then_some(self.held.worker))
        .bind(EPOCH)
        .bind(status.as_str())
        .bind(BEFORE)
        .execute(self.pool())
        .await
        .unwrap();
    }

    /// Its status and its reason.
    async fn now(&self) -> (Status, Option<String>) {
        let row =
            sqlx::query("SELECT status, reason FROM sensor_state").fetch_one(self.pool()).await.unwrap();
        (Status::of_column(row.get(0)).unwrap(), row.get(1))
    }

    async fn commit(&self, events: bool) {
        let version: i64 =
            sqlx::query_scalar("SELECT version FROM config_version").fetch_one(self.pool()).await.unwrap();
        let sensors = SensorColumns {
            sensor: vec![self.sensor],
            epoch: vec![EPOCH],
            state: vec![None],
            polls: vec![1],
            duplicates: vec![0],
            rejected: vec![0],
            lateness_ms: vec![Some(0)],
            contact: vec![false],
            ticks: vec![Some(json!([[0, 1, 2, 3]]))],
            heard: vec![true],
        };
        let events = if events { self.one_event().await } else { EventColumns::default() };
        let batch = Batch { sensors, events, ..Batch::default() };
        let inserted = event::insert_batch(self.pool(), version, &batch).await.unwrap();
        assert_eq!(inserted.sensors, [self.sensor]);
    }

    async fn one_event(&self) -> EventColumns {
        EventColumns {
            id: event::take_ids(self.pool(), 1).await.unwrap(),
            trigger: vec![self.trigger],
            trigger_ref: vec!["demo.t".to_owned()],
            trigger_params: vec![None],
            sensor: vec![Some(self.sensor)],
            sensor_ref: vec![Some("demo.s".to_owned())],
            source: vec![None],
            key: vec![None],
            key_source: vec![None],
            key_expires: vec![None],
            payload: vec!["{}".to_owned()],
            created: vec![Utc::now()],
            sensor_config: vec![None],
            pack_digest: vec![None],
        }
    }

    async fn tick(&self) {
        let ticks = TickColumns {
            sensor: vec![self.sensor],
            epoch: vec![EPOCH],
            base: vec![0],
            polls: vec![1],
            state: vec![None],
            age: vec![0.0],
            lateness_ms: vec![0],
            contact: vec![false],
            ticks: vec!["[[0,1,2,0]]".to_owned()],
        };
        assert_eq!(sensor_state::write_ticks(self.pool(), &ticks).await.unwrap(), [self.sensor]);
    }

    async fn fail(&self) {
        let retry_in = Duration::from_secs(1);
        let ticks = json!([[0, 1, 2, 0, WHY]]);
        let failed =
            Failed { error: WHY, retry_in, base: 0, earlier: 0, state: None, lateness_ms: 0, ticks: &ticks };
        assert!(sensor_state::mark_failing(self.pool(), self.sensor, EPOCH, &failed).await.unwrap());
    }

    async fn fail_as_a_stream(&self) {
        let retry_in = Duration::from_secs(1);
        let ticks = json!([[0, 1, null, 0, WHY]]);
        let marked =
            sensor_state::mark_stream_failing(self.pool(), self.sensor, EPOCH, WHY, retry_in, 1, &ticks)
                .await;
        assert!(marked.unwrap());
    }

    async fn strand(&self) {
        sensor_state::mark_unschedulable(self.pool(), &[self.sensor], &[WHY.to_owned()]).await.unwrap();
    }

    async fn stop(&self) {
        self.execute("UPDATE sensor SET enabled = FALSE").await;
        sensor_state::mark_stopped(self.pool()).await.unwrap();
    }
}

/// What a statement does to each status, and which event that is.
macro_rules! agrees {
    ($world:ident, $owned:literal, $event:expr, $statement:expr) => {
        for status in Status::ALL {
            $world.put(status, $owned).await;
            $statement;
            let before = State::of_columns(status, Some(BEFORE.to_owned()));
            let expected = next(before.clone(), $event).unwrap_or(before);
            let (now, reason) = $world.now().await;
            assert_eq!((status, now), (status, expected.status()), "{}", stringify!($statement));
            // The reason of a failure has a column of its own.
            if now != status && now != Status::Failing {
                assert_eq!(reason.as_deref(), expected.reason(), "{status:?}: {}", stringify!($statement));
            }
        }
    };
}

fn why() -> String {
    WHY.to_owned()
}

#[tokio::test]
async fn whoever_runs_a_sensor_goes_by_the_table() {
    let world = World::new().await;
    let (pool, sensor) = (world.pool(), world.sensor);
    agrees!(world, false, Event::Claim, {
        assert_eq!(sensor_state::claim(pool, world.held, &[sensor], true).await.unwrap().len(), 1);
    });
    agrees!(world, true, Event::Wait { reason: why() }, {
        assert!(sensor_state::mark_starting(pool, sensor, EPOCH, WHY).await.unwrap());
    });
    agrees!(world, true, Event::Tick { events: false }, world.tick().await);
    agrees!(world, true, Event::Tick { events: false }, world.commit(false).await);
    agrees!(world, true, Event::Tick { events: false }, {
        assert!(sensor_state::mark_running(pool, sensor, EPOCH, 0, 0).await.unwrap());
    });
    agrees!(world, true, Event::Tick { events: true }, world.commit(true).await);
    let fail = || Event::Fail { error: why(), retry_in: Duration::from_secs(1) };
    agrees!(world, true, fail(), world.fail().await);
    agrees!(world, true, fail(), world.fail_as_a_stream().await);
}

#[tokio::test]
async fn whoever_decides_about_a_sensor_goes_by_the_table() {
    let world = World::new().await;
    agrees!(world, false, Event::Strand { reason: why() }, world.strand().await);
    agrees!(world, false, Event::Stop { reason: None }, world.stop().await);
    agrees!(world, true, Event::Resume, world.execute("UPDATE sensor_state SET paused = FALSE").await);
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Stopped) {
        world.put(status, true).await;
        world.execute("UPDATE sensor_state SET paused = TRUE, reason = 'because'").await;
        assert_eq!(world.now().await.0, Status::Paused, "{status:?}");
    }
    // Disabled comes first: the wish is kept until it is enabled.
    world.put(Status::Stopped, false).await;
    world.execute("UPDATE sensor_state SET paused = TRUE").await;
    assert_eq!(world.now().await, (Status::Stopped, Some(BEFORE.to_owned())));
}

#[tokio::test]
async fn a_wish_without_a_reason_has_one_and_bumps_the_version_of_the_configuration() {
    let world = World::new().await;
    world.put(Status::Failing, true).await;
    let version =
        || sqlx::query_scalar::<_, i64>("SELECT version FROM config_version").fetch_one(world.pool());
    let before = version().await.unwrap();
    world.execute("UPDATE sensor_state SET paused = TRUE").await;
    assert_eq!(world.now().await, (Status::Paused, Some("somebody wants it paused".to_owned())));
    assert!(version().await.unwrap() > before);
    let before = version().await.unwrap();
    world.tick().await;
    world.fail().await;
    assert_eq!(version().await.unwrap(), before, "only the wish does");
}

#[tokio::test]
async fn a_change_has_its_time_and_its_notice_and_nothing_else_has() {
    let world = World::new().await;
    world.put(Status::Quiet, true).await;
    world.tick().await;
    let row = "SELECT jsonb_build_array(since > '2021-01-01', run_since > '2021-01-01', (SELECT count(*) FROM notice)) FROM sensor_state";
    let seen = || sqlx::query_scalar::<_, Value>(row).fetch_one(world.pool());
    assert_eq!(seen().await.unwrap(), json!([false, false, 0]));
    world.commit(true).await;
    assert_eq!(seen().await.unwrap(), json!([true, false, 1]));
    let notice = "SELECT jsonb_build_array(trigger_ref, payload - 'since' - 'clocks', payload->'clocks'->>'event' > '2021') FROM notice";
    let notice: Value = sqlx::query_scalar(notice).fetch_one(world.pool()).await.unwrap();
    let payload = json!({"sensor": "demo.s", "from": "quiet", "to": "running", "reason": null});
    assert_eq!(notice, json!(["core.sensor_state", payload, true]));
    world.execute("DELETE FROM notice").await;
    world.fail().await;
    let reason = "SELECT payload->>'reason' FROM notice";
    assert_eq!(sqlx::query_scalar::<_, String>(reason).fetch_one(world.pool()).await.unwrap(), WHY);
    world.put(Status::Starting, true).await;
    world.execute("DELETE FROM notice").await;
    world.tick().await;
    assert_eq!(seen().await.unwrap()[2], 0, "the first start is no change");
    world.put(Status::Unschedulable, true).await;
    world.tick().await;
    assert_eq!(seen().await.unwrap(), json!([true, true, 1]), "from now on it could have events");
}

#[tokio::test]
async fn the_timeline_has_the_newest_first_and_an_end() {
    let world = World::new().await;
    world.put(Status::Running, true).await;
    for _ in 0..25 {
        world.execute("UPDATE sensor_state SET polls = 0").await;
        world.tick().await;
    }
    world.commit(true).await;
    world.fail().await;
    let ticks: Value =
        sqlx::query_scalar("SELECT ticks FROM sensor_state").fetch_one(world.pool()).await.unwrap();
    assert_eq!(
        (&ticks[0], &ticks[1], &ticks[2]),
        (&json!([0, 1, 2, 0, WHY]), &json!([0, 1, 2, 3]), &json!([0, 1, 2, 0]))
    );
    assert_eq!(ticks.as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn only_what_a_sensor_says_is_contact_once_it_has_said_so() {
    let world = World::new().await;
    world.put(Status::Running, true).await;
    let contact = || {
        let contact = "SELECT COALESCE(last_contact = last_tick, FALSE) FROM sensor_state";
        sqlx::query_scalar::<_, bool>(contact).fetch_one(world.pool())
    };
    world.tick().await;
    assert!(contact().await.unwrap(), "a good poll is contact");
    let heard = sensor_state::Heard { contact: true, beats: false };
    sensor_state::write_heard(world.pool(), world.sensor, EPOCH, heard).await.unwrap();
    world.execute("UPDATE sensor_state SET polls = 0, last_contact = '2020-01-01'").await;
    world.tick().await;
    world.commit(true).await;
    let silent = sensor_state::Heard::default();
    sensor_state::write_heard(world.pool(), world.sensor, EPOCH, silent).await.unwrap();
    let last = "SELECT last_contact = '2020-01-01' FROM sensor_state";
    assert!(sqlx::query_scalar::<_, bool>(last).fetch_one(world.pool()).await.unwrap());
}
