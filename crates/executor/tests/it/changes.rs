//! Random changes by plain SQL, in transactions of any kind: who follows them knows what reading all anew tells.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use attune_common::repositories::config_version::Known;
use attune_common::repositories::sensor::{self, SensorRow};
use attune_executor::rules::{RuleBook, RuleCache};
use attune_testkit::TestDb;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt as _, SeedableRng};
use sqlx::{AssertSqlSafe, PgPool};

const STEPS: usize = 250;
/// Few of each, so that changes meet.
const NAMES: usize = 4;

/// `$n`, `$m` and `$o` stand for numbers of things.
const CHANGES: &[&str] = &[
    "INSERT INTO pack (ref, name) VALUES ('p$n', 'P') ON CONFLICT (ref) DO UPDATE SET enabled = NOT pack.enabled",
    "INSERT INTO runtime (ref, name, distributions) VALUES ('r$n', 'R', '{}') ON CONFLICT DO NOTHING",
    "INSERT INTO trigger (ref, pack) VALUES ('t$n', (SELECT id FROM pack WHERE ref = 'p$m')) ON CONFLICT DO NOTHING",
    "INSERT INTO action (ref, pack) VALUES ('a$n', (SELECT id FROM pack WHERE ref = 'p$m')) ON CONFLICT DO NOTHING",
    "INSERT INTO rule (ref, trigger_ref, action_ref, pack) VALUES ('x$n', 't$m', 'a$o', (SELECT id FROM pack WHERE ref = 'p$m'))",
    "INSERT INTO rule (ref, trigger_ref, action_ref) SELECT 'x' || n, 't$m', 'a$o' FROM generate_series(0, 3) n ON CONFLICT DO NOTHING",
    "INSERT INTO sensor (ref, pack, runtime_ref) VALUES ('s$n', (SELECT id FROM pack WHERE ref = 'p$m'), 'r$o')",
    "INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, t.id FROM sensor s, trigger t WHERE s.ref = 's$n' AND t.ref = 't$m'",
    "UPDATE pack SET enabled = NOT enabled WHERE ref = 'p$n'",
    "UPDATE pack SET config = '{\"n\": $m}' WHERE ref = 'p$n'",
    "UPDATE runtime SET ref = 'r$m' WHERE ref = 'r$n'",
    "UPDATE trigger SET ref = 't$m' WHERE ref = 't$n'",
    "UPDATE trigger SET enabled = NOT enabled WHERE ref = 't$n'",
    "UPDATE trigger SET param_schema = '{\"properties\": {\"n\": {\"default\": $m}}}' WHERE ref = 't$n'",
    "UPDATE trigger SET payload_schema = '{\"type\": $m}' WHERE ref = 't$n'",
    "UPDATE trigger SET pack = (SELECT id FROM pack WHERE ref = 'p$m') WHERE ref = 't$n'",
    "UPDATE action SET enabled = NOT enabled WHERE ref = 'a$n'",
    "UPDATE action SET ref = 'a$m' WHERE ref = 'a$n'",
    "UPDATE action SET pack = (SELECT id FROM pack WHERE ref = 'p$m') WHERE ref = 'a$n'",
    "UPDATE rule SET enabled = NOT enabled WHERE ref = 'x$n'",
    "UPDATE rule SET conditions = '7' WHERE ref = 'x$n'",
    "UPDATE rule SET conditions = '[]', trigger_params = '{\"n\": $m}' WHERE ref = 'x$n'",
    "UPDATE rule SET trigger_ref = 't$m', action_ref = 'a$o' WHERE ref = 'x$n'",
    "UPDATE rule SET trigger = NULL, trigger_ref = NULL WHERE ref = 'x$n'",
    "UPDATE rule SET ref = 'x$m' WHERE ref = 'x$n'",
    "UPDATE rule SET pack = (SELECT id FROM pack WHERE ref = 'p$m') WHERE ref = 'x$n'",
    "UPDATE sensor SET enabled = NOT enabled WHERE ref = 's$n'",
    "UPDATE sensor SET ref = 's$m', runtime_ref = 'r$o' WHERE ref = 's$n'",
    "UPDATE sensor SET pack = (SELECT id FROM pack WHERE ref = 'p$m') WHERE ref = 's$n'",
    "UPDATE sensor_trigger SET position = position + 1 WHERE sensor = (SELECT id FROM sensor WHERE ref = 's$n')",
    "UPDATE sensor_trigger SET sensor = (SELECT id FROM sensor WHERE ref = 's$m') WHERE sensor = (SELECT id FROM sensor WHERE ref = 's$n')",
    "UPDATE sensor_state SET paused = NOT paused WHERE sensor = (SELECT id FROM sensor WHERE ref = 's$n')",
    "DELETE FROM rule WHERE ref = 'x$n'",
    "DELETE FROM action WHERE ref = 'a$n'",
    "DELETE FROM trigger WHERE ref = 't$n'",
    "DELETE FROM sensor WHERE ref = 's$n'",
    "DELETE FROM sensor_trigger WHERE trigger = (SELECT id FROM trigger WHERE ref = 't$n')",
    "DELETE FROM pack WHERE ref = 'p$n'",
    "DELETE FROM runtime WHERE ref = 'r$n'",
];
const RARE: &[&str] =
    &["TRUNCATE rule", "TRUNCATE sensor_trigger", "TRUNCATE sensor CASCADE", "TRUNCATE trigger CASCADE"];

/// Who follows.
struct Follower {
    rules: RuleCache,
    known: Option<Known>,
    sensors: BTreeMap<i64, SensorRow>,
}

impl Follower {
    fn new(pool: &PgPool) -> Self {
        Self { rules: RuleCache::new(pool.clone()), known: None, sensors: BTreeMap::new() }
    }

    /// All that it knows after it has looked.
    async fn told(&mut self, pool: &PgPool) -> String {
        self.rules.renew(i64::MAX - 1).await.unwrap();
        let (known, set) = sensor::load_sensor_set(pool, self.known).await.unwrap();
        self.known = Some(known);
        self.sensors.retain(|id, _| set.changed.keeps(*id));
        self.sensors.extend(set.sensors.into_iter().map(|row| (row.id, row)));
        format!("{}{:#?}", of_book(&self.rules.current()), self.sensors)
    }
}

fn of_book(book: &RuleBook) -> String {
    let mut told = String::new();
    for n in 0..NAMES {
        let (trigger, rule) = (format!("t{n}"), format!("x{n}"));
        writeln!(told, "{trigger}: {:#?}\n{rule}: {:?}", book.trigger(&trigger), book.fault(&rule)).unwrap();
    }
    told
}

fn change(random: &mut StdRng) -> String {
    let changes = if random.random_ratio(1, 40) { RARE } else { CHANGES };
    let mut change = (*changes.choose(random).unwrap()).to_owned();
    for placeholder in ["$n", "$m", "$o"] {
        change = change.replace(placeholder, &random.random_range(0..NAMES).to_string());
    }
    change
}

/// A transaction of some changes, of which one may be refused and takes the others with it, or takes a part of itself back.
async fn transaction(pool: &PgPool, random: &mut StdRng) -> String {
    let mut sql = (*["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"].choose(random).unwrap()).to_owned();
    for _ in 0..random.random_range(1..4) {
        let change = change(random);
        if random.random_ratio(1, 8) {
            write!(sql, "; SAVEPOINT s; {change}; ROLLBACK TO s").unwrap();
        } else {
            write!(sql, "; {change}").unwrap();
        }
    }
    sql.push_str(if random.random_ratio(1, 8) { "; ROLLBACK" } else { "; COMMIT" });
    let mut connection = pool.acquire().await.unwrap();
    if sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *connection).await.is_err() {
        sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.unwrap();
        sql.push_str(" (refused)");
    }
    sql
}

#[tokio::test]
async fn who_follows_random_changes_knows_what_there_is() {
    let db = TestDb::migrated().await;
    let seed = rand::random();
    let (mut random, mut history) = (StdRng::seed_from_u64(seed), Vec::new());
    let mut follower = Follower::new(&db.pool);
    for _ in 0..STEPS {
        history.push(transaction(&db.pool, &mut random).await);
        if random.random_ratio(1, 3) {
            continue;
        }
        let anew = Follower::new(&db.pool).told(&db.pool).await;
        assert_eq!(follower.told(&db.pool).await, anew, "seed {seed}:\n{}", history.join("\n"));
    }
    let refused = history.iter().filter(|it| it.ends_with("(refused)")).count();
    assert!(refused < STEPS / 2, "{refused} of {STEPS} transactions were refused");
}
