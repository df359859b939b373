//! By which ways the statements reach their rows that run for each event, each execution and each poll, and those that
//! change many executions.
//!
//! Their texts are those of `.sqlx`, and the session is that of the services: plans are generic, and sequential scans as
//! dear as can be. So one that stands here has no index that would serve: right for a table of a few rows, for no other.

#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use std::fs;
use std::path::Path;

use attune_common::config::{Config, DatabaseConfig, DatabaseUrl};
use attune_common::db;
use attune_testkit::TestDb;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

/// What the statement does, and a piece of its text that no other has.
const HOT: [(&str, &str); 18] = [
    ("a batch of events is stored", "WITH current AS MATERIALIZED"),
    ("executions are claimed", "LIMIT $4 FOR UPDATE SKIP LOCKED"),
    ("executions of other actions are claimed", "ARRAY(SELECT id FROM others)"),
    ("the next execution that waits", "min(d.not_before)"),
    ("executions are finished", "AS i (id, attempt, status, result, error, retry_in, log)"),
    ("executions of lost workers", "WITH lost AS MATERIALIZED"),
    ("a piece of a log is stored", "SELECT id, attempt, $4"),
    ("polls without events are noted", "clock_timestamp() - make_interval(secs => t.age)"),
    ("the last events of a trigger", "WHERE trigger_ref = $1 ORDER BY id DESC"),
    ("keys are forgotten", "DELETE FROM event_key"),
    ("whether there is something to do for turns", "WITH RECURSIVE waiting"),
    ("actions are held while turns are given", "FOR NO KEY UPDATE SKIP LOCKED"),
    ("turns are given", "next AS MATERIALIZED"),
    ("executions are skipped", "late AS MATERIALIZED"),
    ("executions are let go", "SELECT action FROM free"),
    ("executions are counted from now on", "AND turn IS NULL) AS e"),
    ("many executions are cancelled", "LIMIT $8"),
    ("tokens of runs are forgotten", "DELETE FROM run_token WHERE hash = ANY"),
];

fn statements() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.sqlx");
    let read =
        |file: fs::DirEntry| -> Value { serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap() };
    let files = fs::read_dir(directory).unwrap().map(|file| read(file.unwrap()));
    files.map(|known| known["query"].as_str().unwrap().to_owned()).collect()
}

/// How many parameters a statement has.
fn parameters(statement: &str) -> usize {
    (1..100).take_while(|n| statement.contains(&format!("${n}"))).count()
}

/// The scans of its plan, from the outermost.
async fn scans(connection: &mut PgConnection, statement: &str) -> Vec<String> {
    let nulls = vec!["NULL"; parameters(statement)].join(", ");
    let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    connection.execute(AssertSqlSafe(format!("PREPARE hot AS {statement}"))).await.unwrap();
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE hot{arguments}");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
        .persistent(false)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    connection.execute("DEALLOCATE hot").await.unwrap();
    let node = |line: &String| line.trim_start_matches([' ', '-', '>']).to_owned();
    let of_a_table = |node: &String| node.contains("Scan ") && node.contains(" on ");
    lines.iter().map(node).filter(of_a_table).collect()
}

#[tokio::test]
async fn what_runs_often_goes_by_indexes() {
    let database = TestDb::migrated().await;
    let config = DatabaseConfig { url: DatabaseUrl::parse(&database.url), ..Config::default().database };
    let pool = db::connect(&config, "plans").await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let (known, mut told) = (statements(), String::new());
    for (what, piece) in HOT {
        let found: Vec<_> = known.iter().filter(|statement| statement.contains(piece)).collect();
        let [statement] = found[..] else { panic!("{} statements have {piece}", found.len()) };
        told.extend([what.to_owned(), "\n".to_owned()]);
        told.extend(scans(&mut connection, statement).await.iter().map(|scan| format!("  {scan}\n")));
    }
    insta::assert_snapshot!(told);
}
