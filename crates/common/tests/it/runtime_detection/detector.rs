//! Who is asked, on a machine with a database and on one without.

use std::collections::HashMap;

use attune_common::config::Config;
use attune_common::runtime_detection::{Detected, Error, Round, RuntimeDetector, Tier};
use attune_testkit::TestDb;
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::programs::{Programs, by_commands};

/// A variable that no machine sets.
const UNSET: &str = "ATTUNE_TEST_RUNTIMES_THAT_NOBODY_SETS";
/// A variable that cargo sets for every test: to the name of the crate.
const SET: &str = "CARGO_PKG_NAME";

/// A database that nobody answers for: whoever asks it fails.
fn no_database() -> PgPool {
    PgPoolOptions::new().connect_lazy("postgresql:///attune?host=/nowhere/at/all").unwrap()
}

fn capabilities(value: Value) -> HashMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn config(programs: &Programs) -> Config {
    Config { cache_dir: programs.file("cache"), ..Config::default() }
}

/// A database whose rows that need a check are verified by these programs alone.
async fn database(programs: &Programs) -> TestDb {
    let database = TestDb::migrated().await;
    let alpha = by_commands(&json!([{"binary": programs.file("alpha"), "pattern": "Alpha"}]));
    sqlx::query("DELETE FROM runtime WHERE ref IN ('core.nodejs', 'core.python')")
        .execute(&database.pool)
        .await
        .unwrap();
    sqlx::query("INSERT INTO runtime (ref, name, distributions) VALUES ('test.alpha', 'Alpha', $1)")
        .bind(alpha)
        .execute(&database.pool)
        .await
        .unwrap();
    database
}

async fn detect(pool: &PgPool, config: &Config, round: Round) -> Detected {
    RuntimeDetector::new(pool.clone()).detect(config, UNSET, None, round).await.unwrap()
}

#[tokio::test]
async fn the_environment_decides_without_the_database() {
    let given = capabilities(json!({"runtimes": ["ignored"], "custom_feature": true}));
    let detector = RuntimeDetector::new(no_database());
    let found = detector.detect_capabilities(&Config::default(), SET, Some(&given)).await.unwrap();
    assert_eq!(json!(found), json!({"runtimes": ["attune-common"], "custom_feature": true}));
}

#[tokio::test]
async fn the_configuration_decides_without_the_database() {
    let given = capabilities(json!({"runtimes": [" Python", "SHELL", "", "python"], "zone": "north"}));
    let detector = RuntimeDetector::new(no_database());
    let found = detector.detect(&Config::default(), UNSET, Some(&given), Round::Start).await.unwrap();
    assert_eq!(json!(found.capabilities), json!({"runtimes": ["python", "shell"], "zone": "north"}));
    assert_eq!(
        (found.tier, found.names.as_slice()),
        (Tier::Configuration, ["python", "shell"].map(String::from).as_slice())
    );
}

#[tokio::test]
async fn without_names_the_database_is_asked() {
    let detector = RuntimeDetector::new(no_database());
    for given in [json!({}), json!({"runtimes": []}), json!({"runtimes": [" "]}), json!({"runtimes": 7})] {
        let found = detector.detect_capabilities(&Config::default(), UNSET, Some(&capabilities(given))).await;
        assert!(matches!(found, Err(Error::ReadRuntimes(_))));
    }
    assert!(matches!(detector.detect_from_database().await, Err(Error::ReadRuntimes(_))));
}

#[tokio::test]
async fn the_database_reports_what_is_available_by_ref() {
    let programs = Programs::new().with("alpha", "echo 'Alpha 3.9.2'");
    let database = database(&programs).await;
    sqlx::query("INSERT INTO runtime (ref, name, distributions) VALUES ('a.missing', 'Missing', '{}')")
        .execute(&database.pool)
        .await
        .unwrap();
    let names = RuntimeDetector::new(database.pool.clone()).detect_from_database().await.unwrap();
    assert_eq!(names, ["native", "built-in sensor", "shell", "alpha"]);
}

#[tokio::test]
async fn capabilities_say_what_was_found() {
    let programs = Programs::new().with("alpha", "echo 'Alpha 3.9.2'");
    let database = database(&programs).await;
    let given = capabilities(json!({"runtimes": [], "custom_feature": true}));
    let detector = RuntimeDetector::new(database.pool.clone());
    let mut found = detector.detect_capabilities(&config(&programs), UNSET, Some(&given)).await.unwrap();
    assert_eq!(found["runtimes"], json!(["native", "built-in sensor", "shell", "alpha"]));
    assert_eq!(found["custom_feature"], json!(true));
    let alpha = found.get_mut("runtime_details").unwrap()["test.alpha"].take();
    assert_eq!((&alpha["name"], &alpha["version"]), (&json!("Alpha"), &json!("3.9.2")));
    assert_eq!(alpha["binary"], json!(programs.file("alpha")));
    let verified_at = alpha["verified_at"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(verified_at).is_ok() && verified_at.ends_with('Z'));
    assert_eq!(found["runtime_details"]["core.shell"]["binary"], json!(null));
}

#[tokio::test]
async fn verified_rows_can_be_claimed_for() {
    let programs = Programs::new().with("alpha", "echo 'Alpha 3.9.2'");
    let database = database(&programs).await;
    let found = detect(&database.pool, &config(&programs), Round::Start).await;
    let alpha = found.runtimes.last().unwrap();
    let id: i64 = sqlx::query_scalar("SELECT id FROM runtime WHERE ref = 'test.alpha'")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!((alpha.id, alpha.r#ref.as_str(), alpha.version.as_deref()), (id, "test.alpha", Some("3.9.2")));
    assert_eq!(alpha.binary, Some(programs.file("alpha")));
    let detector = RuntimeDetector::new(database.pool.clone());
    assert_eq!(detector.claimable(&found).await.unwrap(), found.runtimes);
}

#[tokio::test]
async fn a_later_round_notices_what_came_and_what_went() {
    let programs = Programs::new();
    let database = database(&programs).await;
    let config = config(&programs);
    let has_alpha = |found: Detected| found.names.contains(&"alpha".to_owned());
    assert!(!has_alpha(detect(&database.pool, &config, Round::Start).await));
    programs.write("alpha", "echo Alpha; exit 1");
    assert!(!has_alpha(detect(&database.pool, &config, Round::Again).await));
    programs.write("alpha", "echo Alpha");
    assert!(has_alpha(detect(&database.pool, &config, Round::Again).await));
    std::fs::remove_file(programs.file("alpha")).unwrap();
    assert!(!has_alpha(detect(&database.pool, &config, Round::Again).await));
}

#[tokio::test]
async fn names_given_by_hand_find_every_row_that_they_mean() {
    let database = TestDb::migrated().await;
    sqlx::query("INSERT INTO runtime (ref, name, distributions) VALUES ('other.shell', 'Another', '{}')")
        .execute(&database.pool)
        .await
        .unwrap();
    let detector = RuntimeDetector::new(database.pool.clone());
    for (name, expected) in [
        ("node", vec!["core.nodejs"]),
        ("Node.js", vec!["core.nodejs"]),
        ("python3", vec!["core.python"]),
        ("core.python", vec!["core.python"]),
        ("bash", vec!["core.shell"]),
        ("shell", vec!["core.shell", "other.shell"]),
        ("built-in sensor", vec!["core.sensor.builtin"]),
        ("cobol", vec![]),
    ] {
        let rows = detector.match_runtimes(&[name.to_owned()]).await.unwrap();
        let refs: Vec<_> = rows.iter().map(|row| row.r#ref.as_str()).collect();
        assert_eq!(refs, expected, "{name}");
    }
}

#[tokio::test]
async fn names_given_by_hand_are_matched_when_work_is_claimed() {
    let database = TestDb::migrated().await;
    let detector = RuntimeDetector::new(database.pool.clone());
    let given = capabilities(json!({"runtimes": ["sh", "native"]}));
    let found = detector.detect(&Config::default(), UNSET, Some(&given), Round::Start).await.unwrap();
    assert!(found.runtimes.is_empty());
    let rows = detector.claimable(&found).await.unwrap();
    let refs: Vec<_> = rows.iter().map(|row| row.r#ref.as_str()).collect();
    assert_eq!(refs, ["core.native", "core.shell"]);
}
