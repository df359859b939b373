//! The lines that operators search their logs for.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use attune_common::config::{Config, RuntimeConfig};
use attune_common::runtime_detection::{Round, RuntimeDetector};
use attune_testkit::TestDb;
use serde_json::json;
use tempfile::TempDir;
use tracing::Level;
use tracing::instrument::WithSubscriber;

use super::programs::{Programs, by_commands};

/// What detection itself logs here; the database's client logs too, above all when the machine is slow.
const TARGET: &str = "attune_common::runtime_detection::detector: ";

/// The lines of one detection, by level and message.
async fn lines(database: &TestDb, level: Level, round: Round) -> Vec<String> {
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(Arc::new(File::create(&log).unwrap()))
        .without_time()
        .with_ansi(false)
        .finish();
    let config = Config { runtime: no_cache(), ..Config::default() };
    let detector = RuntimeDetector::new(database.pool.clone());
    let detection = detector.detect(&config, "ATTUNE_TEST_RUNTIMES_THAT_NOBODY_SETS", None, round);
    detection.with_subscriber(subscriber).await.unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    log.lines().filter(|line| line.contains(TARGET)).map(|line| line.trim().replacen(TARGET, "", 1)).collect()
}

fn no_cache() -> RuntimeConfig {
    RuntimeConfig { cache_ttl: Duration::ZERO, ..Config::default().runtime }
}

async fn database(programs: &Programs) -> TestDb {
    let database = TestDb::migrated().await;
    sqlx::query("DELETE FROM runtime WHERE ref <> 'core.native'").execute(&database.pool).await.unwrap();
    for (r#ref, name) in [("test.alpha", "Alpha"), ("test.haskell", "Haskell")] {
        let mut distributions = by_commands(&json!([{"binary": programs.file(&name.to_lowercase())}]));
        distributions["recommended_version"] = json!("4.0");
        sqlx::query("INSERT INTO runtime (ref, name, distributions) VALUES ($1, $2, $3)")
            .bind(r#ref)
            .bind(name)
            .bind(distributions)
            .execute(&database.pool)
            .await
            .unwrap();
    }
    database
}

#[tokio::test]
async fn a_start_says_what_it_finds() {
    let programs = Programs::new().with("alpha", "echo 'Alpha 3.9'");
    let database = database(&programs).await;
    assert_eq!(
        lines(&database, Level::INFO, Round::Start).await,
        [
            "INFO Detecting worker capabilities...",
            "INFO Detecting available runtimes from database...",
            "INFO Found 3 runtime(s) in database",
            "INFO ✓ Runtime available: Native (core.native)",
            "INFO ✓ Runtime available: Alpha (test.alpha)",
            "WARN Runtime Alpha (test.alpha): recommended_version: version 3.9 is below 4.0",
            "INFO Detected available runtimes: [\"native\", \"alpha\"]",
        ]
    );
}

#[tokio::test]
async fn at_debug_it_says_what_it_does_not_find_and_why() {
    let programs = Programs::new().with("alpha", "echo 'Alpha 4.1'");
    let database = database(&programs).await;
    let lines = lines(&database, Level::DEBUG, Round::Start).await;
    let absent =
        lines.iter().find(|line| line.contains("✗ Runtime not available: Haskell (test.haskell)")).unwrap();
    assert!(absent.starts_with("DEBUG") && absent.contains("there is no program at this path"), "{absent}");
}

#[tokio::test]
async fn a_later_round_is_silent() {
    let programs = Programs::new().with("alpha", "echo 'Alpha 3.9'");
    let database = database(&programs).await;
    assert_eq!(lines(&database, Level::INFO, Round::Again).await, [""; 0]);
}
