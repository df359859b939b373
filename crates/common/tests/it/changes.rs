//! Whatever was written since is read, whoever wrote it and however, and nothing else is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use attune_common::repositories::config_version::Known;
use attune_common::repositories::{rule, sensor};
use attune_testkit::{TestDb, migrate_rest};
use sqlx::PgPool;

const WORLD: &str = "
    INSERT INTO pack (ref, name, version) VALUES ('demo', 'Demo', '1.0.0'), ('mine', 'Mine', '1.0.0');
    INSERT INTO runtime (ref, name, distributions, execution) VALUES ('demo.r', 'R', '{}', '{}');
    INSERT INTO trigger (ref, pack) SELECT t, id FROM pack, unnest(ARRAY['demo.t', 'demo.u']) t WHERE ref = 'demo';
    INSERT INTO action (ref, pack) SELECT 'demo.a', id FROM pack WHERE ref = 'demo';
    INSERT INTO sensor (ref, entrypoint, pack, runtime) SELECT 'demo.s', 's.sh', p.id, r.id FROM pack p, runtime r WHERE p.ref = 'demo' AND r.ref = 'demo.r';
    INSERT INTO sensor (ref) VALUES ('demo.other');
    INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, t.id FROM sensor s, trigger t WHERE s.ref = 'demo.s' AND t.ref = 'demo.t';
    INSERT INTO rule (ref, pack, trigger_ref, action_ref) SELECT 'mine.r', id, 'demo.t', 'demo.a' FROM pack WHERE ref = 'mine';
    INSERT INTO trigger (ref) VALUES ('other.t');
    INSERT INTO action (ref) VALUES ('other.a');
    INSERT INTO rule (ref, trigger_ref, action_ref) VALUES ('other.r', 'other.t', 'other.a')";

/// What changes follow, by the ids of two rows: whether each is as it was known.
#[derive(Debug)]
struct Reader<'a> {
    pool: &'a PgPool,
    known: Known,
    of_rules: bool,
    ids: [i64; 2],
}

impl<'a> Reader<'a> {
    async fn of_rules(pool: &'a PgPool) -> Self {
        let (known, set) = rule::load_rule_set(pool, None).await.unwrap();
        let id = |name| set.rules.iter().find(|rule| rule.r#ref == name).unwrap().id;
        Self { pool, known, of_rules: true, ids: [id("mine.r"), id("other.r")] }
    }

    async fn of_sensors(pool: &'a PgPool) -> Self {
        let (known, set) = sensor::load_sensor_set(pool, None).await.unwrap();
        let id = |name| set.sensors.iter().find(|sensor| sensor.r#ref == name).unwrap().id;
        Self { pool, known, of_rules: false, ids: [id("demo.s"), id("demo.other")] }
    }

    async fn kept(&mut self) -> [bool; 2] {
        let changed = if self.of_rules {
            let (known, set) = rule::load_rule_set(self.pool, Some(self.known)).await.unwrap();
            self.known = known;
            set.changed_rules
        } else {
            let (known, set) = sensor::load_sensor_set(self.pool, Some(self.known)).await.unwrap();
            self.known = known;
            set.changed
        };
        self.ids.map(|id| changed.keeps(id))
    }

    async fn after(&mut self, sql: &'static str) -> [bool; 2] {
        sqlx::raw_sql(sql).execute(self.pool).await.unwrap();
        self.kept().await
    }
}

async fn world() -> TestDb {
    let db = TestDb::migrated().await;
    sqlx::raw_sql(WORLD).execute(&db.pool).await.unwrap();
    db
}

#[tokio::test]
async fn whatever_running_a_sensor_needs_is_seen_to_change_and_nothing_else_is() {
    let db = world().await;
    let mut reader = Reader::of_sensors(&db.pool).await;
    for change in [
        "UPDATE sensor SET config = '{\"n\": 1}' WHERE ref = 'demo.s'",
        "UPDATE pack SET name = 'Other' WHERE ref = 'demo'",
        "UPDATE runtime SET ref = 'demo.other' WHERE ref = 'demo.r'",
        "UPDATE trigger SET ref = 'demo.v' WHERE ref = 'demo.t'",
        "UPDATE sensor_trigger SET position = 1",
        "INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, t.id FROM sensor s, trigger t WHERE s.ref = 'demo.s' AND t.ref = 'demo.u'",
        "DELETE FROM trigger WHERE ref = 'demo.u'",
        "TRUNCATE sensor_trigger; UPDATE sensor SET config = '{}' WHERE ref = 'demo.s'",
        "UPDATE sensor_state SET paused = TRUE WHERE sensor = (SELECT id FROM sensor WHERE ref = 'demo.s')",
        "UPDATE sensor_state SET paused = FALSE",
        "UPDATE sensor SET enabled = FALSE WHERE ref = 'demo.s'",
    ] {
        let kept = reader.after(change).await;
        assert_eq!(kept, [false, !change.starts_with("TRUNCATE")], "{change}");
    }
    for neither in [
        "UPDATE sensor_state SET polls = 7",
        "UPDATE sensor_state SET paused = paused",
        "SELECT FROM sensor FOR UPDATE",
        "UPDATE rule SET enabled = FALSE",
        "DELETE FROM rule",
    ] {
        assert_eq!(reader.after(neither).await, [true, true], "{neither}");
    }
    assert_eq!(reader.after("DELETE FROM sensor WHERE ref = 'demo.s'").await, [false, true]);
}

#[tokio::test]
async fn whatever_a_rule_needs_is_seen_to_change_and_nothing_else_is() {
    let db = world().await;
    let mut reader = Reader::of_rules(&db.pool).await;
    for change in [
        "UPDATE rule SET label = 'R' WHERE ref = 'mine.r'",
        "UPDATE pack SET enabled = FALSE WHERE ref = 'mine'",
        "UPDATE trigger SET ref = 'demo.v' WHERE ref = 'demo.t'",
        "UPDATE action SET param_schema = '{}' WHERE ref = 'demo.a'",
        "UPDATE pack SET config = '{}' WHERE ref = 'demo'",
        "UPDATE rule SET trigger = NULL, trigger_ref = NULL WHERE ref = 'mine.r'",
        "UPDATE rule SET config_version = 0 WHERE ref = 'mine.r'",
    ] {
        assert_eq!(reader.after(change).await, [false, true], "{change}");
    }
    for neither in
        ["UPDATE sensor SET enabled = FALSE", "UPDATE runtime SET aliases = '{r}'", "DELETE FROM sensor"]
    {
        assert_eq!(reader.after(neither).await, [true, true], "{neither}");
    }
    assert_eq!(reader.after("DELETE FROM action WHERE ref = 'demo.a'").await, [false, true]);
    assert_eq!(reader.after("TRUNCATE rule").await, [false, false]);
}

#[tokio::test]
async fn what_was_under_way_while_somebody_read_is_read_afterwards() {
    let db = world().await;
    let mut reader = Reader::of_rules(&db.pool).await;
    let mut tx = db.pool.begin().await.unwrap();
    sqlx::raw_sql(
        "UPDATE rule SET label = 'R' WHERE ref = 'other.r'; SAVEPOINT s; UPDATE rule SET label = 'R' WHERE ref = 'mine.r';
         ROLLBACK TO s; UPDATE pack SET config = '{}' WHERE ref = 'demo'",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    assert_eq!(reader.kept().await, [true, true]);
    tx.commit().await.unwrap();
    assert_eq!(reader.kept().await, [false, false]);
    assert_eq!(reader.kept().await, [true, true]);
}

#[tokio::test]
async fn who_writes_by_an_old_snapshot_is_refused() {
    let db = world().await;
    let mut tx = db.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    sqlx::query("SELECT FROM rule").execute(&mut *tx).await.unwrap();
    sqlx::query("UPDATE rule SET label = 'R' WHERE ref = 'other.r'").execute(&db.pool).await.unwrap();
    let late = sqlx::query("UPDATE rule SET label = 'S' WHERE ref = 'mine.r'").execute(&mut *tx).await;
    assert_eq!(late.unwrap_err().as_database_error().unwrap().code().as_deref(), Some("40001"));
}

#[tokio::test]
async fn numbers_of_another_history_are_worth_nothing() {
    let db = world().await;
    let mut reader = Reader::of_rules(&db.pool).await;
    assert_eq!(reader.after("UPDATE runtime SET aliases = '{r}'").await, [true, true]);
    assert_eq!(reader.after("UPDATE config_version SET version = version - 1").await, [false, false]);
    assert_eq!(reader.kept().await, [true, true]);
}

#[tokio::test]
async fn rows_from_before_there_were_numbers_are_read() {
    let db = TestDb::migrated_to(20_260_701_000_011).await;
    sqlx::raw_sql(WORLD).execute(&db.pool).await.unwrap();
    migrate_rest(&db.pool).await;
    let mut reader = Reader::of_rules(&db.pool).await;
    assert_eq!(reader.after("UPDATE action SET label = 'A' WHERE ref = 'demo.a'").await, [false, true]);
}
