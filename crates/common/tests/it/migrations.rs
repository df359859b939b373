//! The schema's history: what merging the runtimes leaves, what a fresh database holds, what operators type.
//!
//! Queries are checked at run time here, because most of them speak to a schema of the past.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::time::Duration;

use attune_common::config::{Config, DatabaseConfig, DatabaseUrl};
use attune_common::db;
use attune_testkit::{TestDb, migrate_rest};
use sqlx::PgPool;
use sqlx::postgres::PgRow;

const BASE: i64 = 20_260_101_000_001;
const BEFORE_UNIFYING: i64 = 20_260_202_000_001;
const BEFORE_BATCHES: i64 = 20_261_204_000_003;

const VERIFIED: bool = true;
const UNVERIFIED: bool = false;

/// Adds runtimes of a pack, each named after its own ref and with its ref in `distributions`, so that both tell
/// afterwards which row and whose metadata survived.
async fn add_runtimes(pool: &PgPool, runtimes: &[(&str, bool)]) {
    execute(pool, "INSERT INTO pack (ref, name) VALUES ('acme', 'Acme')").await;
    for (runtime, verified) in runtimes {
        sqlx::query(
            r#"INSERT INTO runtime (ref, pack, pack_ref, runtime_type, name, distributions)
               SELECT $1, pack.id, pack.ref,
                      (CASE WHEN $1 LIKE '%.sensor.%' THEN 'sensor' ELSE 'action' END)::runtime_type_enum, $1,
                      jsonb_build_object('of', $1) ||
                      (CASE WHEN $2 THEN '{"verification": {"commands": []}}' ELSE '{}' END)::jsonb
               FROM pack WHERE pack.ref = 'acme'"#,
        )
        .bind(runtime)
        .bind(verified)
        .execute(pool)
        .await
        .unwrap();
    }
}

/// `(ref, the row it was, the row whose metadata it has)`
async fn runtimes_of_acme(pool: &PgPool) -> Vec<(String, String, String)> {
    rows(pool, "SELECT ref, name, distributions ->> 'of' FROM runtime WHERE pack_ref = 'acme' ORDER BY ref")
        .await
}

async fn rows<T>(pool: &PgPool, query: &'static str) -> Vec<T>
where
    T: Send + Unpin + for<'row> sqlx::FromRow<'row, PgRow>,
{
    sqlx::query_as(query).fetch_all(pool).await.unwrap()
}

async fn column(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

async fn execute(pool: &PgPool, statements: &'static str) {
    sqlx::raw_sql(statements).execute(pool).await.unwrap();
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(left, right)| (left.to_owned(), right.to_owned())).into()
}

#[tokio::test]
async fn every_runtime_of_two_kinds_becomes_one() {
    let database = TestDb::migrated_to(BEFORE_UNIFYING).await;
    let before = [
        ("acme.action.alone", UNVERIFIED),
        ("acme.sensor.single", VERIFIED),
        ("acme.action.both", VERIFIED),
        ("acme.sensor.both", VERIFIED),
        ("acme.action.by_action", VERIFIED),
        ("acme.sensor.by_action", UNVERIFIED),
        ("acme.action.by_sensor", UNVERIFIED),
        ("acme.sensor.by_sensor", VERIFIED),
        ("acme.action.neither", UNVERIFIED),
        ("acme.sensor.neither", UNVERIFIED),
        ("acme.sensor.builtin", VERIFIED),
        ("acme.sensor.dotted.name", VERIFIED),
        ("acme.actionable.thing", VERIFIED),
        ("acme.action.sensor.twice", VERIFIED),
        ("acme.sensor.twice", VERIFIED),
    ];
    add_runtimes(&database.pool, &before).await;
    migrate_rest(&database.pool).await;
    let expected = [
        ("acme.actionable.thing", "acme.actionable.thing"),
        ("acme.alone", "acme.action.alone"),
        ("acme.both", "acme.sensor.both"),
        ("acme.builtin", "acme.sensor.builtin"),
        ("acme.by_action", "acme.action.by_action"),
        ("acme.by_sensor", "acme.sensor.by_sensor"),
        ("acme.dotted.name", "acme.sensor.dotted.name"),
        ("acme.neither", "acme.sensor.neither"),
        ("acme.sensor.twice", "acme.action.sensor.twice"),
        ("acme.single", "acme.sensor.single"),
        ("acme.twice", "acme.sensor.twice"),
    ]
    .map(|(unified, survivor)| (unified.to_owned(), survivor.to_owned(), survivor.to_owned()));
    assert_eq!(runtimes_of_acme(&database.pool).await, expected);
}

#[tokio::test]
async fn a_unified_runtime_that_exists_keeps_its_row() {
    let database = TestDb::migrated_to(BEFORE_UNIFYING).await;
    let before = [
        ("acme.complete", VERIFIED),
        ("acme.action.complete", VERIFIED),
        ("acme.sensor.complete", VERIFIED),
        ("acme.from_sensor", UNVERIFIED),
        ("acme.action.from_sensor", VERIFIED),
        ("acme.sensor.from_sensor", VERIFIED),
        ("acme.from_action", UNVERIFIED),
        ("acme.action.from_action", VERIFIED),
        ("acme.sensor.from_action", UNVERIFIED),
        ("acme.from_nobody", UNVERIFIED),
        ("acme.sensor.from_nobody", UNVERIFIED),
    ];
    add_runtimes(&database.pool, &before).await;
    migrate_rest(&database.pool).await;
    let expected = [
        ("acme.complete", "acme.complete"),
        ("acme.from_action", "acme.action.from_action"),
        ("acme.from_nobody", "acme.from_nobody"),
        ("acme.from_sensor", "acme.sensor.from_sensor"),
    ]
    .map(|(unified, metadata)| (unified.to_owned(), unified.to_owned(), metadata.to_owned()));
    assert_eq!(runtimes_of_acme(&database.pool).await, expected);
}

#[tokio::test]
async fn the_runtimes_of_core_are_paired_by_what_operators_made_of_them() {
    let database = TestDb::migrated_to(BEFORE_UNIFYING).await;
    execute(
        &database.pool,
        r#"UPDATE runtime SET distributions = '{"verification": {"commands": []}, "by": "operator"}'
               WHERE ref IN ('core.action.python', 'core.action.nodejs');
           UPDATE runtime SET distributions = '{}' WHERE ref = 'core.sensor.python';
           DELETE FROM runtime WHERE ref = 'core.sensor.shell';"#,
    )
    .await;
    migrate_rest(&database.pool).await;
    let left: Vec<(String, Option<String>)> =
        rows(&database.pool, "SELECT ref, distributions ->> 'by' FROM runtime ORDER BY ref").await;
    let expected = [
        ("core.native", None),
        ("core.nodejs", None),
        ("core.python", Some("operator")),
        ("core.sensor.builtin", None),
        ("core.shell", None),
    ];
    assert_eq!(left, expected.map(|(runtime, by)| (runtime.to_owned(), by.map(str::to_owned))));
}

#[tokio::test]
async fn what_points_at_a_runtime_follows() {
    let database = TestDb::migrated_to(BEFORE_UNIFYING).await;
    let before =
        [("acme.action.lua", VERIFIED), ("acme.sensor.lua", VERIFIED), ("acme.action.tcl", UNVERIFIED)];
    add_runtimes(&database.pool, &before).await;
    execute(
        &database.pool,
        "INSERT INTO action (ref, runtime, runtime_ref) SELECT 'acme.run_' || id, id, ref FROM runtime
             WHERE ref IN ('acme.action.lua', 'acme.action.tcl', 'core.action.python');
         INSERT INTO sensor (ref, runtime, runtime_ref) SELECT 'acme.watch_' || id, id, ref FROM runtime
             WHERE ref IN ('acme.sensor.lua', 'core.sensor.python', 'core.sensor.builtin');
         INSERT INTO worker (name, worker_type, runtime) SELECT ref, 'local', id FROM runtime
             WHERE ref IN ('acme.action.lua', 'core.action.shell', 'core.sensor.builtin');",
    )
    .await;
    migrate_rest(&database.pool).await;

    let code: Vec<(String, String)> = rows(
        &database.pool,
        "SELECT code.runtime_ref, runtime.ref
         FROM (SELECT runtime, runtime_ref FROM action UNION ALL SELECT runtime, runtime_ref FROM sensor) code
         JOIN runtime ON runtime.id = code.runtime ORDER BY 1",
    )
    .await;
    let expected = ["acme.lua", "acme.lua", "acme.tcl", "core.python", "core.python", "core.sensor.builtin"];
    assert_eq!(code, pairs(expected.map(|runtime| (runtime, runtime))));

    let workers: Vec<(String, String)> = rows(
        &database.pool,
        "SELECT w.name, r.ref FROM worker w JOIN runtime r ON r.id = w.runtime ORDER BY 1",
    )
    .await;
    let expected = [
        ("acme.action.lua", "acme.lua"),
        ("core.action.shell", "core.shell"),
        ("core.sensor.builtin", "core.sensor.builtin"),
    ];
    assert_eq!(workers, pairs(expected));
}

#[tokio::test]
async fn a_ref_without_its_runtime_follows_too() {
    let database = TestDb::migrated_to(BEFORE_UNIFYING).await;
    execute(
        &database.pool,
        "INSERT INTO action (ref, runtime_ref) VALUES ('acme.run', 'acme.action.lua');
         INSERT INTO sensor (ref, runtime_ref) VALUES
             ('acme.watch', 'core.sensor.builtin'), ('acme.see', 'acme.sensor.builtin');",
    )
    .await;
    migrate_rest(&database.pool).await;
    let refs = "SELECT runtime_ref FROM action UNION ALL SELECT runtime_ref FROM sensor ORDER BY 1";
    assert_eq!(column(&database.pool, refs).await, ["acme.builtin", "acme.lua", "core.sensor.builtin"]);
}

#[tokio::test]
async fn existing_workers_run_actions() {
    let database = TestDb::migrated_to(BASE).await;
    execute(&database.pool, "INSERT INTO worker (name, worker_type) VALUES ('one', 'local')").await;
    migrate_rest(&database.pool).await;
    let sensor = "INSERT INTO worker (name, worker_type, worker_role) VALUES ('one', 'local', 'sensor')";
    execute(&database.pool, sensor).await;
    let roles = column(&database.pool, "SELECT worker_role::text FROM worker ORDER BY id").await;
    assert_eq!(roles, ["action", "sensor"]);
    assert!(sqlx::raw_sql(sensor).execute(&database.pool).await.is_err(), "a name is unique per role");
}

#[tokio::test]
async fn nothing_of_the_two_kinds_remains() {
    let database = TestDb::migrated().await;
    let remains =
        "SELECT column_name::text FROM information_schema.columns WHERE column_name = 'runtime_type'
         UNION ALL SELECT typname::text FROM pg_type WHERE typname = 'runtime_type_enum'
         UNION ALL SELECT indexname::text FROM pg_indexes WHERE indexname = 'idx_runtime_type'";
    assert_eq!(column(&database.pool, remains).await, [""; 0]);
    let indexes = "SELECT indexname::text FROM pg_indexes
         WHERE indexname ~ '^idx_(runtime_(name|verification)|worker_role)' ORDER BY 1";
    let expected =
        ["idx_runtime_name", "idx_runtime_verification", "idx_worker_role", "idx_worker_role_status"];
    assert_eq!(column(&database.pool, indexes).await, expected);
}

#[tokio::test]
async fn a_fresh_database_has_five_runtimes() {
    let database = TestDb::migrated().await;
    let runtimes: Vec<(String, String)> =
        rows(&database.pool, "SELECT ref, name FROM runtime ORDER BY ref").await;
    let expected = [
        ("core.native", "Native"),
        ("core.nodejs", "Node.js"),
        ("core.python", "Python"),
        ("core.sensor.builtin", "Built-in Sensor"),
        ("core.shell", "Shell"),
    ];
    assert_eq!(runtimes, pairs(expected));
}

#[tokio::test]
async fn the_last_loaded_version_of_core_is_what_the_migrations_wrote() {
    let database = TestDb::migrated().await;
    let differences: Vec<(Option<String>, Option<String>)> = rows(
        &database.pool,
        "SELECT loaded.definition::text, written.definition::text
         FROM (SELECT ref, definition FROM pack_item WHERE kind = 'runtime') loaded
         FULL JOIN (SELECT ref, jsonb_build_object(
                        'name', name, 'description', description, 'distributions', distributions,
                        'installation', installation, 'execution', execution, 'aliases', aliases) AS definition
                    FROM runtime) written USING (ref)
         WHERE loaded.definition IS DISTINCT FROM written.definition",
    )
    .await;
    assert_eq!(differences, []);
}

#[tokio::test]
async fn operators_find_workers() {
    let database = TestDb::migrated().await;
    execute(
        &database.pool,
        r#"INSERT INTO worker (name, worker_type, worker_role, status, capabilities, last_heartbeat) VALUES
             ('fresh', 'local', 'sensor', 'active', '{"runtimes": ["shell", "python"]}', NOW()),
             ('stale', 'local', 'sensor', 'active', '{"runtimes": ["python"]}', NOW() - INTERVAL '6 minutes'),
             ('other', 'local', 'sensor', 'active', '{"runtimes": ["shell"]}', NOW()),
             ('actor', 'local', 'action', 'active', NULL, NOW())"#,
    )
    .await;
    let python = "SELECT name FROM worker WHERE worker_role = 'sensor' AND status = 'active' \
                  AND capabilities->'runtimes' ? 'python' ORDER BY name";
    assert_eq!(column(&database.pool, python).await, ["fresh", "stale"]);
    let stale = "SELECT name FROM worker WHERE worker_role = 'sensor' AND status = 'active' \
                 AND last_heartbeat < NOW() - INTERVAL '5 minutes'";
    assert_eq!(column(&database.pool, stale).await, ["stale"]);
    let everybody: Vec<(String, Option<serde_json::Value>)> =
        rows(&database.pool, "SELECT name, capabilities->'runtimes' FROM worker").await;
    assert_eq!(everybody.len(), 4);
}

#[tokio::test]
async fn operators_change_and_add_runtimes() {
    let database = TestDb::migrated().await;
    execute(
        &database.pool,
        r#"UPDATE runtime SET distributions = jsonb_set(distributions, '{verification,commands,0,binary}', '"python3.11"') WHERE ref = 'core.python'"#,
    )
    .await;
    execute(
        &database.pool,
        r"INSERT INTO runtime (ref, pack, pack_ref, name, distributions) VALUES ('core.ruby', (SELECT id FROM pack WHERE ref = 'core'), 'core', 'Ruby',
  jsonb_build_object('verification', jsonb_build_object('commands', jsonb_build_array(jsonb_build_object(
    'binary', 'ruby', 'args', jsonb_build_array('--version'), 'exit_code', 0, 'pattern', 'ruby \d+\.\d+', 'priority', 1)))));",
    )
    .await;
    let binaries: Vec<(String, String)> = rows(
        &database.pool,
        "SELECT ref, distributions #>> '{verification,commands,0,binary}' FROM runtime
         WHERE ref IN ('core.python', 'core.ruby') ORDER BY ref",
    )
    .await;
    assert_eq!(binaries, pairs([("core.python", "python3.11"), ("core.ruby", "ruby")]));
}

#[tokio::test]
async fn a_migration_of_a_large_table_takes_longer_than_a_service_waits() {
    let database = TestDb::migrated_to(BEFORE_BATCHES).await;
    let many =
        "INSERT INTO execution (action, action_ref) SELECT n, 'a.b' FROM generate_series(1, 50000) AS n";
    execute(&database.pool, many).await;
    let url = DatabaseUrl::parse(&database.url);
    let short = Duration::from_millis(1);
    let config =
        DatabaseConfig { url, statement_timeout: short, lock_timeout: short, ..Config::default().database };
    let pool = db::connect(&config, "impatient").await.unwrap();
    let cut_off = sqlx::query("SELECT pg_sleep(60)").execute(&pool).await.unwrap_err();
    assert!(cut_off.to_string().contains("statement timeout"), "{cut_off}");
    db::migrate(&pool).await.unwrap();
    assert!(attune_common::schema::compare(&database.pool).await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = TestDb::migrated().await;
    let version = "SELECT version::text FROM config_version";
    let before = column(&database.pool, version).await;
    migrate_rest(&database.pool).await;
    assert_eq!(column(&database.pool, version).await, before);
}

#[tokio::test]
async fn a_rule_runs_what_it_shows_whichever_side_of_a_reference_was_changed() {
    let database = TestDb::migrated().await;
    let run = async |sql: &'static str| sqlx::query(sql).execute(&database.pool).await.map(|_| ());
    run("INSERT INTO trigger (ref) VALUES ('t.a'), ('t.b')").await.unwrap();
    run("INSERT INTO action (ref, runtime_ref) VALUES ('a.x', 'core.shell'), ('a.y', 'no.such')")
        .await
        .unwrap();
    run("INSERT INTO rule (ref, trigger_ref, action_ref) VALUES ('r.r', 't.a', 'a.x')").await.unwrap();
    run("UPDATE rule SET action_ref = 'a.y'").await.unwrap();
    run("UPDATE rule SET trigger = (SELECT id FROM trigger WHERE ref = 't.b')").await.unwrap();
    for unknown in ["UPDATE rule SET action_ref = 'core.nope'", "UPDATE rule SET trigger_ref = 'core.nope'"] {
        assert!(run(unknown).await.unwrap_err().to_string().contains("core.nope"));
    }
    let shown: (String, String, String, String) = sqlx::query_as(
        "SELECT r.trigger_ref, t.ref, r.action_ref, a.ref
         FROM rule r JOIN trigger t ON t.id = r.trigger JOIN action a ON a.id = r.action",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(shown, ("t.b".to_owned(), "t.b".to_owned(), "a.y".to_owned(), "a.y".to_owned()));
    let runtimes: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT r.ref FROM action a LEFT JOIN runtime r ON r.id = a.runtime ORDER BY a.ref",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(runtimes, [Some("core.shell".to_owned()), None]);
}
